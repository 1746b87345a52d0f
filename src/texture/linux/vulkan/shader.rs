//! The shader that reads an imported image texel by texel, and what Vulkan needs to run it.

use super::device::Device;
use super::image::{FORMAT, WHOLE};
use super::import::ImportedImage;
use super::memory::HostBuffer;
use super::{GpuError, ImageDescription};
use ash::vk;
use std::sync::Arc;

/// Compiled from `fetch.wgsl`; a test compares the two.
const FETCH: &[u8] = include_bytes!("fetch.spv");

/// Texels of a row that one workgroup reads, as the shader says.
const LOCAL_WIDTH: u32 = 64;

/// A pipeline, and for each image what it reads from and writes to.
pub(super) struct Fetch {
    device: Arc<Device>,
    module: vk::ShaderModule,
    bindings: vk::DescriptorSetLayout,
    layout: vk::PipelineLayout,
    pipeline: vk::Pipeline,
    pool: vk::DescriptorPool,
    views: Vec<vk::ImageView>,
    sets: Vec<vk::DescriptorSet>,
}

impl Fetch {
    /// Prepares to read each of the images into the buffer. Images and buffer are to outlive the shader's use.
    pub(super) fn new(device: &Arc<Device>, images: &[ImportedImage], buffer: &HostBuffer) -> Result<Self, GpuError> {
        // Null handles are destroyed without effect, so a half-made one can be dropped.
        let mut made = Fetch {
            device: device.clone(),
            module: vk::ShaderModule::null(),
            bindings: vk::DescriptorSetLayout::null(),
            layout: vk::PipelineLayout::null(),
            pipeline: vk::Pipeline::null(),
            pool: vk::DescriptorPool::null(),
            views: Vec::new(),
            sets: Vec::new(),
        };
        made.make_pipeline().map_err(GpuError::in_call("preparing the shader that reads images"))?;
        made.bind(images, buffer).map_err(GpuError::in_call("giving images to the shader that reads them"))?;
        Ok(made)
    }

    fn make_pipeline(&mut self) -> Result<(), vk::Result> {
        let raw = self.device.raw();
        let code: Vec<u32> = FETCH.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
        let binding = |number, kind| {
            vk::DescriptorSetLayoutBinding::default()
                .binding(number)
                .descriptor_type(kind)
                .descriptor_count(1)
                .stage_flags(vk::ShaderStageFlags::COMPUTE)
        };
        let bindings = [binding(0, vk::DescriptorType::SAMPLED_IMAGE), binding(1, vk::DescriptorType::STORAGE_BUFFER)];
        let info = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
        // SAFETY: descriptions are complete and agree with the shader's declarations; what is made is kept by `self`,
        // which holds the device, and used with it alone.
        unsafe {
            self.module = raw.create_shader_module(&vk::ShaderModuleCreateInfo::default().code(&code), None)?;
            self.bindings = raw.create_descriptor_set_layout(&info, None)?;
            let layouts = [self.bindings];
            let info = vk::PipelineLayoutCreateInfo::default().set_layouts(&layouts);
            self.layout = raw.create_pipeline_layout(&info, None)?;
            let stage = vk::PipelineShaderStageCreateInfo::default()
                .stage(vk::ShaderStageFlags::COMPUTE)
                .module(self.module)
                .name(c"fetch");
            let info = [vk::ComputePipelineCreateInfo::default().stage(stage).layout(self.layout)];
            let made = raw.create_compute_pipelines(vk::PipelineCache::null(), &info, None);
            self.pipeline = made.map_err(|(_, e)| e)?[0];
        }
        Ok(())
    }

    fn bind(&mut self, images: &[ImportedImage], buffer: &HostBuffer) -> Result<(), vk::Result> {
        let raw = self.device.raw();
        let count = images.len() as u32;
        let size = |ty| vk::DescriptorPoolSize { ty, descriptor_count: count };
        let sizes = [size(vk::DescriptorType::SAMPLED_IMAGE), size(vk::DescriptorType::STORAGE_BUFFER)];
        let info = vk::DescriptorPoolCreateInfo::default().max_sets(count).pool_sizes(&sizes);
        // SAFETY: as above; images and buffer outlive the use of the sets, says the caller of `new`.
        unsafe {
            self.pool = raw.create_descriptor_pool(&info, None)?;
            let layouts = vec![self.bindings; images.len()];
            let info = vk::DescriptorSetAllocateInfo::default().descriptor_pool(self.pool).set_layouts(&layouts);
            self.sets = raw.allocate_descriptor_sets(&info)?;
            for (image, set) in images.iter().zip(&self.sets) {
                let info = vk::ImageViewCreateInfo::default()
                    .image(image.image())
                    .view_type(vk::ImageViewType::TYPE_2D)
                    .format(FORMAT)
                    .subresource_range(WHOLE);
                let view = raw.create_image_view(&info, None)?;
                self.views.push(view);
                let image =
                    [vk::DescriptorImageInfo::default().image_view(view).image_layout(vk::ImageLayout::GENERAL)];
                let buffer = [vk::DescriptorBufferInfo::default().buffer(buffer.raw()).range(vk::WHOLE_SIZE)];
                let write = |number, kind| {
                    vk::WriteDescriptorSet::default().dst_set(*set).dst_binding(number).descriptor_type(kind)
                };
                let writes = [
                    write(0, vk::DescriptorType::SAMPLED_IMAGE).image_info(&image),
                    write(1, vk::DescriptorType::STORAGE_BUFFER).buffer_info(&buffer),
                ];
                raw.update_descriptor_sets(&writes, &[]);
            }
        }
        Ok(())
    }

    /// Records the reading of one image.
    ///
    /// # Safety
    /// `commands` are being recorded, for this shader's device, and do not outlive `self`.
    pub(super) unsafe fn record(&self, commands: vk::CommandBuffer, image: usize, description: &ImageDescription) {
        let raw = self.device.raw();
        // SAFETY: the caller's; pipeline, layout and sets were made for each other.
        unsafe {
            raw.cmd_bind_pipeline(commands, vk::PipelineBindPoint::COMPUTE, self.pipeline);
            let sets = [self.sets[image]];
            raw.cmd_bind_descriptor_sets(commands, vk::PipelineBindPoint::COMPUTE, self.layout, 0, &sets, &[]);
            raw.cmd_dispatch(commands, description.width.div_ceil(LOCAL_WIDTH), description.height, 1);
        }
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        if self.device.is_hung() {
            return;
        }
        let raw = self.device.raw();
        // SAFETY: the recordings that use these are gone: their owner drops them first.
        unsafe {
            self.views.iter().for_each(|view| raw.destroy_image_view(*view, None));
            raw.destroy_descriptor_pool(self.pool, None);
            raw.destroy_pipeline(self.pipeline, None);
            raw.destroy_pipeline_layout(self.layout, None);
            raw.destroy_descriptor_set_layout(self.bindings, None);
            raw.destroy_shader_module(self.module, None);
        }
    }
}

#[cfg(test)]
#[path = "shader_tests.rs"]
mod tests;
