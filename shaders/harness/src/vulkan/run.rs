use super::Vulkan;
use super::memory::{Buffer, Picture, WHOLE};
use crate::gl::texels;
use crate::image::{Image, Pixels};
use ash::vk;

/// What is run over the picture.
#[derive(Clone, Copy, Debug)]
pub enum Stage<'a> {
    /// A fragment shader, and a vertex shader with the entry point `main` that covers the target with three vertices.
    Fragment {
        /// SPIR-V of the vertex shader.
        vertex: &'a [u32],
    },
    /// A compute shader of 8×128 pixels a group, which writes the storage image at binding 2.
    Compute,
}

/// How the picture (binding 0) and the LUT (binding 1) are bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// With their samplers, as GLSL has them.
    Combined,
    /// Without samplers, as HLSL and WGSL have them.
    Separate,
}

pub(super) fn failed(call: &'static str) -> impl Fn(vk::Result) -> String {
    move |e| format!("{call} failed: {e}")
}

struct Pipeline {
    set_layout: vk::DescriptorSetLayout,
    layout: vk::PipelineLayout,
    pipeline: vk::Pipeline,
}

impl Vulkan {
    /// Runs a shader over the picture and returns what it writes, row 0 first.
    ///
    /// # Errors
    /// The call that failed.
    pub fn run(
        &self,
        stage: Stage<'_>,
        spirv: &[u32],
        entry: &str,
        binding: Binding,
        [picture, lut]: [&Image; 2],
    ) -> Result<Vec<[f32; 4]>, String> {
        let (width, height) = (picture.width as u32, picture.height as u32);
        let (picture, picture_bytes) = self.upload(picture)?;
        let (lut, lut_bytes) = self.upload(lut)?;
        let target = self.image(vk::Format::R32G32B32A32_SFLOAT, width, height)?;
        let back = self.buffer(width as usize * height as usize * 16)?;
        let pipeline = self.pipeline(stage, spirv, entry, binding)?;
        let (pool, set) = self.descriptors(&pipeline, binding, stage, [&picture, &lut, &target])?;
        self.submit(|device, commands| {
            for (image, bytes) in [(&picture, Some(&picture_bytes)), (&lut, Some(&lut_bytes)), (&target, None)] {
                prepare(device, commands, image, bytes);
            }
            match stage {
                Stage::Fragment { .. } => draw(device, commands, &pipeline, set, &target),
                Stage::Compute => dispatch(device, commands, &pipeline, set, &target),
            }
            read_back(device, commands, &target, &back);
        })?;
        let result = self.with_bytes(&back, |bytes| texels(bytes))?;
        // SAFETY: the submission has been waited for.
        unsafe {
            self.device.destroy_descriptor_pool(pool, None);
            self.device.destroy_pipeline(pipeline.pipeline, None);
            self.device.destroy_pipeline_layout(pipeline.layout, None);
            self.device.destroy_descriptor_set_layout(pipeline.set_layout, None);
        }
        self.free(vec![picture, lut, target], vec![picture_bytes, lut_bytes, back]);
        Ok(result)
    }

    /// An image, and a buffer with its texels that a command must copy into it.
    pub(super) fn upload(&self, image: &Image) -> Result<(Picture, Buffer), String> {
        let (format, bytes): (_, Vec<u8>) = match &image.pixels {
            Pixels::Float(t) => {
                (vk::Format::R32G32B32A32_SFLOAT, t.iter().flatten().flat_map(|v| v.to_ne_bytes()).collect())
            }
            Pixels::Bytes(t) => (vk::Format::R8G8B8A8_UNORM, t.iter().flatten().copied().collect()),
        };
        let buffer = self.buffer(bytes.len())?;
        self.with_bytes(&buffer, |to| to[..bytes.len()].copy_from_slice(&bytes))?;
        Ok((self.image(format, image.width as u32, image.height as u32)?, buffer))
    }

    pub(super) fn module(&self, spirv: &[u32]) -> Result<vk::ShaderModule, String> {
        let info = vk::ShaderModuleCreateInfo::default().code(spirv);
        // SAFETY: the words come from a compiler that writes valid SPIR-V; spirv-val has seen them in the tests.
        unsafe { self.device.create_shader_module(&info, None) }.map_err(failed("vkCreateShaderModule"))
    }

    fn pipeline(&self, stage: Stage<'_>, spirv: &[u32], entry: &str, binding: Binding) -> Result<Pipeline, String> {
        let entry = std::ffi::CString::new(entry).map_err(|e| e.to_string())?;
        let texture = texture_kind(binding);
        let stages = vk::ShaderStageFlags::FRAGMENT | vk::ShaderStageFlags::COMPUTE;
        let slot = |binding, kind| {
            vk::DescriptorSetLayoutBinding::default()
                .binding(binding)
                .descriptor_type(kind)
                .descriptor_count(1)
                .stage_flags(stages)
        };
        let slots = [slot(0, texture), slot(1, texture), slot(2, vk::DescriptorType::STORAGE_IMAGE)];
        // SAFETY: every structure outlives the call that it is given to, and every handle is of this device.
        unsafe {
            let info = vk::DescriptorSetLayoutCreateInfo::default().bindings(&slots);
            let set_layout =
                self.device.create_descriptor_set_layout(&info, None).map_err(failed("vkCreateDescriptorSetLayout"))?;
            let sets = [set_layout];
            let info = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
            let layout = self.device.create_pipeline_layout(&info, None).map_err(failed("vkCreatePipelineLayout"))?;
            let module = self.module(spirv)?;
            let pipeline = match stage {
                Stage::Compute => {
                    let stage = vk::PipelineShaderStageCreateInfo::default()
                        .stage(vk::ShaderStageFlags::COMPUTE)
                        .module(module)
                        .name(&entry);
                    let info = vk::ComputePipelineCreateInfo::default().stage(stage).layout(layout);
                    self.device.create_compute_pipelines(vk::PipelineCache::null(), &[info], None)
                }
                Stage::Fragment { vertex } => {
                    let vertex = self.module(vertex)?;
                    let result = self.graphics(layout, vertex, module, &entry);
                    self.device.destroy_shader_module(vertex, None);
                    result
                }
            };
            self.device.destroy_shader_module(module, None);
            let pipeline = pipeline.map_err(|(_, e)| format!("vkCreatePipelines failed: {e}"))?[0];
            Ok(Pipeline { set_layout, layout, pipeline })
        }
    }

    /// # Safety
    /// The modules are of this device and hold entry points of these names.
    unsafe fn graphics(
        &self,
        layout: vk::PipelineLayout,
        vertex: vk::ShaderModule,
        fragment: vk::ShaderModule,
        entry: &std::ffi::CStr,
    ) -> Result<Vec<vk::Pipeline>, (Vec<vk::Pipeline>, vk::Result)> {
        let stage =
            |flags, module, name| vk::PipelineShaderStageCreateInfo::default().stage(flags).module(module).name(name);
        let stages = [
            stage(vk::ShaderStageFlags::VERTEX, vertex, c"main"),
            stage(vk::ShaderStageFlags::FRAGMENT, fragment, entry),
        ];
        let formats = [vk::Format::R32G32B32A32_SFLOAT];
        let mut rendering = vk::PipelineRenderingCreateInfo::default().color_attachment_formats(&formats);
        let vertex_input = vk::PipelineVertexInputStateCreateInfo::default();
        let assembly =
            vk::PipelineInputAssemblyStateCreateInfo::default().topology(vk::PrimitiveTopology::TRIANGLE_LIST);
        let viewport = vk::PipelineViewportStateCreateInfo::default().viewport_count(1).scissor_count(1);
        let raster = vk::PipelineRasterizationStateCreateInfo::default().line_width(1.0);
        let samples =
            vk::PipelineMultisampleStateCreateInfo::default().rasterization_samples(vk::SampleCountFlags::TYPE_1);
        let attachments =
            [vk::PipelineColorBlendAttachmentState::default().color_write_mask(vk::ColorComponentFlags::RGBA)];
        let blend = vk::PipelineColorBlendStateCreateInfo::default().attachments(&attachments);
        let changing = [vk::DynamicState::VIEWPORT, vk::DynamicState::SCISSOR];
        let dynamic = vk::PipelineDynamicStateCreateInfo::default().dynamic_states(&changing);
        let info = vk::GraphicsPipelineCreateInfo::default()
            .stages(&stages)
            .vertex_input_state(&vertex_input)
            .input_assembly_state(&assembly)
            .viewport_state(&viewport)
            .rasterization_state(&raster)
            .multisample_state(&samples)
            .color_blend_state(&blend)
            .dynamic_state(&dynamic)
            .layout(layout)
            .push_next(&mut rendering);
        // SAFETY: every structure outlives the call; the caller vouches for the modules.
        unsafe { self.device.create_graphics_pipelines(vk::PipelineCache::null(), &[info], None) }
    }

    fn descriptors(
        &self,
        pipeline: &Pipeline,
        binding: Binding,
        stage: Stage<'_>,
        images: [&Picture; 3],
    ) -> Result<(vk::DescriptorPool, vk::DescriptorSet), String> {
        let kinds = [texture_kind(binding), texture_kind(binding), vk::DescriptorType::STORAGE_IMAGE];
        let sizes = kinds.map(|kind| vk::DescriptorPoolSize { ty: kind, descriptor_count: 1 });
        // A fragment shader has no third image.
        let used = if matches!(stage, Stage::Compute) { 3 } else { 2 };
        // SAFETY: the handles are of this device; the sampler is never sampled through, since all shaders fetch by
        // integer coordinates, and lives as long as the pool's set is used.
        unsafe {
            let info = vk::DescriptorPoolCreateInfo::default().max_sets(1).pool_sizes(&sizes);
            let pool = self.device.create_descriptor_pool(&info, None).map_err(failed("vkCreateDescriptorPool"))?;
            let layouts = [pipeline.set_layout];
            let info = vk::DescriptorSetAllocateInfo::default().descriptor_pool(pool).set_layouts(&layouts);
            let set = self.device.allocate_descriptor_sets(&info).map_err(failed("vkAllocateDescriptorSets"))?[0];
            let sampler = self
                .device
                .create_sampler(&vk::SamplerCreateInfo::default(), None)
                .map_err(failed("vkCreateSampler"))?;
            let infos = images.map(|image| {
                [vk::DescriptorImageInfo::default()
                    .image_view(image.view)
                    .image_layout(vk::ImageLayout::GENERAL)
                    .sampler(sampler)]
            });
            let writes: Vec<_> = (0..used)
                .map(|i| {
                    vk::WriteDescriptorSet::default()
                        .dst_set(set)
                        .dst_binding(i as u32)
                        .descriptor_type(kinds[i])
                        .image_info(&infos[i])
                })
                .collect();
            self.device.update_descriptor_sets(&writes, &[]);
            Ok((pool, set))
        }
    }
}

fn texture_kind(binding: Binding) -> vk::DescriptorType {
    match binding {
        Binding::Combined => vk::DescriptorType::COMBINED_IMAGE_SAMPLER,
        Binding::Separate => vk::DescriptorType::SAMPLED_IMAGE,
    }
}

pub(super) fn barrier(device: &ash::Device, commands: vk::CommandBuffer, image: &Picture, from: vk::ImageLayout) {
    let all = vk::AccessFlags::MEMORY_READ | vk::AccessFlags::MEMORY_WRITE;
    let barrier = vk::ImageMemoryBarrier::default()
        .image(image.handle)
        .old_layout(from)
        .new_layout(vk::ImageLayout::GENERAL)
        .src_access_mask(all)
        .dst_access_mask(all)
        .subresource_range(WHOLE);
    let every = vk::PipelineStageFlags::ALL_COMMANDS;
    // SAFETY: the image is alive and in the layout `from`.
    unsafe {
        device.cmd_pipeline_barrier(commands, every, every, vk::DependencyFlags::empty(), &[], &[], &[barrier]);
    }
}

fn whole_copy(image: &Picture) -> vk::BufferImageCopy {
    let layers = vk::ImageSubresourceLayers::default().aspect_mask(vk::ImageAspectFlags::COLOR).layer_count(1);
    vk::BufferImageCopy::default().image_subresource(layers).image_extent(vk::Extent3D {
        width: image.width,
        height: image.height,
        depth: 1,
    })
}

pub(super) fn prepare(device: &ash::Device, commands: vk::CommandBuffer, image: &Picture, bytes: Option<&Buffer>) {
    barrier(device, commands, image, vk::ImageLayout::UNDEFINED);
    if let Some(bytes) = bytes {
        let general = vk::ImageLayout::GENERAL;
        // SAFETY: the buffer holds all texels of the image.
        unsafe { device.cmd_copy_buffer_to_image(commands, bytes.handle, image.handle, general, &[whole_copy(image)]) };
        barrier(device, commands, image, general);
    }
}

fn draw(
    device: &ash::Device,
    commands: vk::CommandBuffer,
    pipeline: &Pipeline,
    set: vk::DescriptorSet,
    target: &Picture,
) {
    let area = vk::Rect2D {
        offset: vk::Offset2D::default(),
        extent: vk::Extent2D { width: target.width, height: target.height },
    };
    let attachments = [vk::RenderingAttachmentInfo::default()
        .image_view(target.view)
        .image_layout(vk::ImageLayout::GENERAL)
        .load_op(vk::AttachmentLoadOp::DONT_CARE)
        .store_op(vk::AttachmentStoreOp::STORE)];
    let rendering = vk::RenderingInfo::default().render_area(area).layer_count(1).color_attachments(&attachments);
    let viewport =
        vk::Viewport { width: target.width as f32, height: target.height as f32, max_depth: 1.0, ..Default::default() };
    let graphics = vk::PipelineBindPoint::GRAPHICS;
    // SAFETY: pipeline, set and target are alive, and the target is in the layout that is named.
    unsafe {
        device.cmd_begin_rendering(commands, &rendering);
        device.cmd_bind_pipeline(commands, graphics, pipeline.pipeline);
        device.cmd_bind_descriptor_sets(commands, graphics, pipeline.layout, 0, &[set], &[]);
        device.cmd_set_viewport(commands, 0, &[viewport]);
        device.cmd_set_scissor(commands, 0, &[area]);
        device.cmd_draw(commands, 3, 1, 0, 0);
        device.cmd_end_rendering(commands);
    }
}

fn dispatch(
    device: &ash::Device,
    commands: vk::CommandBuffer,
    pipeline: &Pipeline,
    set: vk::DescriptorSet,
    target: &Picture,
) {
    let compute = vk::PipelineBindPoint::COMPUTE;
    // SAFETY: pipeline and set are alive.
    unsafe {
        device.cmd_bind_pipeline(commands, compute, pipeline.pipeline);
        device.cmd_bind_descriptor_sets(commands, compute, pipeline.layout, 0, &[set], &[]);
        device.cmd_dispatch(commands, target.width.div_ceil(8), target.height.div_ceil(128), 1);
    }
}

pub(super) fn read_back(device: &ash::Device, commands: vk::CommandBuffer, target: &Picture, back: &Buffer) {
    let general = vk::ImageLayout::GENERAL;
    barrier(device, commands, target, general);
    // SAFETY: the buffer has room for all texels of the image.
    unsafe { device.cmd_copy_image_to_buffer(commands, target.handle, general, back.handle, &[whole_copy(target)]) };
}
