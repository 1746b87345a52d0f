use super::Vulkan;
use super::memory::Buffer;
use super::run::{barrier, failed, prepare, read_back};
use crate::gl::texels;
use crate::image::Image;
use ash::vk;

/// Two compute shaders: one fills the buffer of entries, the other grades the picture from it.
pub struct TwoPasses<'a> {
    /// SPIR-V of each; it may be the same.
    pub spirv: [&'a [u32]; 2],
    /// The entry point of each.
    pub entries: [&'a str; 2],
}

/// What is bound where: picture, LUT, target, and the buffer twice, to be read and to be written.
const KINDS: [vk::DescriptorType; 5] = [
    vk::DescriptorType::SAMPLED_IMAGE,
    vk::DescriptorType::SAMPLED_IMAGE,
    vk::DescriptorType::STORAGE_IMAGE,
    vk::DescriptorType::STORAGE_BUFFER,
    vk::DescriptorType::STORAGE_BUFFER,
];

impl Vulkan {
    /// Runs both shaders and returns what the second writes, row 0 first. The buffer has room for this many float4.
    ///
    /// # Errors
    /// The call that failed.
    pub fn run_two_passes(
        &self,
        passes: &TwoPasses<'_>,
        [picture, lut]: [&Image; 2],
        room: usize,
    ) -> Result<Vec<[f32; 4]>, String> {
        let (width, height) = (picture.width as u32, picture.height as u32);
        let lut_size = [lut.width as u32, lut.height as u32];
        let (picture, picture_bytes) = self.upload(picture)?;
        let (lut, lut_bytes) = self.upload(lut)?;
        let target = self.image(vk::Format::R32G32B32A32_SFLOAT, width, height)?;
        let back = self.buffer(width as usize * height as usize * 16)?;
        let entries = self.buffer(room * 16)?;
        self.with_bytes(&entries, |bytes| bytes.fill(0))?;
        let slots: Vec<_> = (0..)
            .zip(KINDS)
            .map(|(binding, kind)| {
                vk::DescriptorSetLayoutBinding::default()
                    .binding(binding)
                    .descriptor_type(kind)
                    .descriptor_count(1)
                    .stage_flags(vk::ShaderStageFlags::COMPUTE)
            })
            .collect();
        // SAFETY: every structure outlives the call that it is given to, every handle is of this device, and what is
        // destroyed is no longer in flight, since submissions are waited for.
        unsafe {
            let info = vk::DescriptorSetLayoutCreateInfo::default().bindings(&slots);
            let set_layout =
                self.device.create_descriptor_set_layout(&info, None).map_err(failed("vkCreateDescriptorSetLayout"))?;
            let sets = [set_layout];
            let info = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
            let layout = self.device.create_pipeline_layout(&info, None).map_err(failed("vkCreatePipelineLayout"))?;
            let pipelines = [0, 1].map(|i| self.compute(layout, passes.spirv[i], passes.entries[i]));
            let [Ok(fill), Ok(grade)] = pipelines else {
                return Err(pipelines.into_iter().find_map(Result::err).unwrap_or_default());
            };
            let views = [picture.view, lut.view, target.view];
            let (pool, set) = self.bind(set_layout, views, &entries)?;
            self.submit(|device, commands| {
                for (image, bytes) in [(&picture, Some(&picture_bytes)), (&lut, Some(&lut_bytes)), (&target, None)] {
                    prepare(device, commands, image, bytes);
                }
                let compute = vk::PipelineBindPoint::COMPUTE;
                device.cmd_bind_descriptor_sets(commands, compute, layout, 0, &[set], &[]);
                device.cmd_bind_pipeline(commands, compute, fill);
                device.cmd_dispatch(commands, lut_size[0].div_ceil(8), lut_size[1].div_ceil(8), 1);
                let all = vk::AccessFlags::MEMORY_READ | vk::AccessFlags::MEMORY_WRITE;
                let written = vk::MemoryBarrier::default().src_access_mask(all).dst_access_mask(all);
                let every = vk::PipelineStageFlags::ALL_COMMANDS;
                let none = vk::DependencyFlags::empty();
                device.cmd_pipeline_barrier(commands, every, every, none, &[written], &[], &[]);
                device.cmd_bind_pipeline(commands, compute, grade);
                device.cmd_dispatch(commands, width.div_ceil(8), height.div_ceil(128), 1);
                barrier(device, commands, &target, vk::ImageLayout::GENERAL);
                read_back(device, commands, &target, &back);
            })?;
            self.device.destroy_descriptor_pool(pool, None);
            self.device.destroy_pipeline(fill, None);
            self.device.destroy_pipeline(grade, None);
            self.device.destroy_pipeline_layout(layout, None);
            self.device.destroy_descriptor_set_layout(set_layout, None);
        }
        let result = self.with_bytes(&back, |bytes| texels(bytes))?;
        self.free(vec![picture, lut, target], vec![picture_bytes, lut_bytes, back, entries]);
        Ok(result)
    }

    /// # Safety
    /// The layout is of this device.
    unsafe fn compute(&self, layout: vk::PipelineLayout, spirv: &[u32], entry: &str) -> Result<vk::Pipeline, String> {
        let entry = std::ffi::CString::new(entry).map_err(|e| e.to_string())?;
        let module = self.module(spirv)?;
        let stage = vk::PipelineShaderStageCreateInfo::default()
            .stage(vk::ShaderStageFlags::COMPUTE)
            .module(module)
            .name(&entry);
        let info = vk::ComputePipelineCreateInfo::default().stage(stage).layout(layout);
        // SAFETY: the module is alive until the pipeline is made, and the caller vouches for the layout.
        unsafe {
            let made = self.device.create_compute_pipelines(vk::PipelineCache::null(), &[info], None);
            self.device.destroy_shader_module(module, None);
            made.map(|list| list[0]).map_err(|(_, e)| format!("vkCreateComputePipelines failed: {e}"))
        }
    }

    /// # Safety
    /// The layout and the views are of this device.
    unsafe fn bind(
        &self,
        layout: vk::DescriptorSetLayout,
        views: [vk::ImageView; 3],
        entries: &Buffer,
    ) -> Result<(vk::DescriptorPool, vk::DescriptorSet), String> {
        let sizes = KINDS.map(|kind| vk::DescriptorPoolSize { ty: kind, descriptor_count: 1 });
        let images = views
            .map(|view| [vk::DescriptorImageInfo::default().image_view(view).image_layout(vk::ImageLayout::GENERAL)]);
        let buffers = [vk::DescriptorBufferInfo::default().buffer(entries.handle).range(vk::WHOLE_SIZE)];
        // SAFETY: every structure outlives its call; the caller vouches for the handles.
        unsafe {
            let info = vk::DescriptorPoolCreateInfo::default().max_sets(1).pool_sizes(&sizes);
            let pool = self.device.create_descriptor_pool(&info, None).map_err(failed("vkCreateDescriptorPool"))?;
            let layouts = [layout];
            let info = vk::DescriptorSetAllocateInfo::default().descriptor_pool(pool).set_layouts(&layouts);
            let set = self.device.allocate_descriptor_sets(&info).map_err(failed("vkAllocateDescriptorSets"))?[0];
            let writes = [0, 1, 2, 3, 4].map(|i| {
                let write =
                    vk::WriteDescriptorSet::default().dst_set(set).dst_binding(i as u32).descriptor_type(KINDS[i]);
                if i < 3 { write.image_info(&images[i]) } else { write.buffer_info(&buffers) }
            });
            self.device.update_descriptor_sets(&writes, &[]);
            Ok((pool, set))
        }
    }
}
