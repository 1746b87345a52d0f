//! Recorded work that is started again and again, and its fence.

use super::GpuError;
use super::device::Device;
use ash::vk;
use std::sync::Arc;
use std::time::Duration;

/// A number of recordings, one of which runs at a time.
pub(super) struct Commands {
    device: Arc<Device>,
    pool: vk::CommandPool,
    buffers: Vec<vk::CommandBuffer>,
    fence: vk::Fence,
    running: bool,
}

impl Commands {
    /// Records `count` pieces of work.
    ///
    /// # Safety
    /// `record` records valid commands. What they use lives until these `Commands` are dropped.
    pub(super) unsafe fn record(
        device: &Arc<Device>,
        count: usize,
        mut record: impl FnMut(usize, vk::CommandBuffer),
    ) -> Result<Self, GpuError> {
        let raw = device.raw();
        let failed = GpuError::in_call("recording copies");
        let info = vk::CommandPoolCreateInfo::default().queue_family_index(device.family());
        // SAFETY: descriptions are complete, and what is made is used with the device that made it, here and below.
        let pool = unsafe { raw.create_command_pool(&info, None) }.map_err(&failed)?;
        let mut made =
            Commands { device: device.clone(), pool, buffers: Vec::new(), fence: vk::Fence::null(), running: false };
        let info = vk::CommandBufferAllocateInfo::default().command_pool(pool).command_buffer_count(count as u32);
        // SAFETY: as above.
        unsafe {
            made.fence = raw.create_fence(&vk::FenceCreateInfo::default(), None).map_err(&failed)?;
            made.buffers = raw.allocate_command_buffers(&info).map_err(&failed)?;
        }
        for (i, buffer) in made.buffers.iter().enumerate() {
            // SAFETY: fresh from the pool, recorded once by this thread; the rest is the caller's.
            unsafe {
                raw.begin_command_buffer(*buffer, &vk::CommandBufferBeginInfo::default()).map_err(&failed)?;
                record(i, *buffer);
                raw.end_command_buffer(*buffer).map_err(&failed)?;
            }
        }
        Ok(made)
    }

    /// Starts one recording. To be followed by [`wait`](Self::wait) before the next.
    ///
    /// # Safety
    /// What the recording uses stays as it is until `wait` has returned `Ok`, or the device is hung.
    pub(super) unsafe fn start(&mut self, which: usize) -> Result<(), GpuError> {
        assert!(!self.running, "a copy was started before the last one was waited for");
        // SAFETY: recorded, of this device, and with a fence that is not in use, as was just checked.
        unsafe { self.device.submit(self.buffers[which], self.fence) }?;
        self.running = true;
        Ok(())
    }

    /// Waits for what was started, if anything was.
    pub(super) fn wait(&mut self, patience: Duration) -> Result<(), GpuError> {
        if self.running {
            self.device.wait(self.fence, patience)?;
            self.running = false;
        }
        Ok(())
    }
}

impl Drop for Commands {
    fn drop(&mut self) {
        if self.device.is_hung() {
            return;
        }
        if self.wait(super::PATIENCE).is_err() && self.device.is_hung() {
            return;
        }
        let raw = self.device.raw();
        // SAFETY: nothing is running any more: it was waited for, or the device is lost, and then nothing will.
        unsafe {
            raw.destroy_fence(self.fence, None);
            raw.destroy_command_pool(self.pool, None);
        }
    }
}
