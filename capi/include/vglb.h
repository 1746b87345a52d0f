/* vglb.h: receives LUTs that the virtual LUT box shares as textures on this computer.
 *
 * Written from capi/src/border by `cargo xtask header`; changes belong there. How to build and link:
 * docs/c-interface.md. A whole program: capi/examples/receive.c.
 *
 *     vglb_check_abi(VGLB_ABI_VERSION);
 *     vglb_wait_for_stream("vglb-lut-cam1", -1);
 *     vglb_open("vglb-lut-cam1", NULL, &receiver);
 *     while (vglb_wait(receiver, -1, &frame) == VGLB_STATUS_OK) {
 *         vglb_frame_pixels(frame, &pixels);     (with pixels.struct_size = sizeof pixels)
 *         ... upload pixels.data ...
 *         vglb_release(frame);
 *     }
 *     vglb_close(receiver);
 *
 * Rules that hold for all of it:
 * - Calls return a VglbStatus. Below 0 they have failed, have changed nothing but their results, and vglb_last_error()
 *   says in a sentence what was wrong. NULL where it makes no sense, a wrong size or a stale handle is such an error.
 * - Handles (VglbStreams, VglbReceiver, VglbFrame) are given back once, with the function named at what hands them out.
 *   They are numbers, never reused: one that was given back, or was made up, is an error and never a crash.
 * - Every structure begins with struct_size, to be set to its sizeof by the caller before the call. A structure that
 *   the library fills is otherwise not read.
 * - Threads: every function can be called by any thread at any time, different handles at the same time; what holds
 *   beyond that is said at the function. vglb_last_error is the calling thread's own.
 * - Pointers handed in are NULL, or point to what their type says; texts end in NUL. More can't be checked. They are
 *   not used after the call. What is handed out through a pointer says how long it is valid, and is never freed by the
 *   caller. Descriptors handed out are the caller's to close.
 * - Nothing is written to standard output or error, save by a fault of the library (Rust's message of a panic); no
 *   signal handler is set, and the library starts no thread of its own.
 * - A process that has forked may use in the child only what it opens there.
 */


#ifndef VGLB_H
#define VGLB_H

#include <stddef.h>
#include <stdint.h>

// The version of this binary interface: of the functions, and of the sizes and fields of the structures.
#define VGLB_ABI_VERSION 1

// For `VglbOpenOptions.flags`: take textures as images of the graphics device whose UUIDs are given, wherever the
// sender can, and as pixels otherwise. See `VglbFrameInfo.kind`.
#define VGLB_OPEN_IMAGES 1

// What came of a call. 0 and above is no error; below 0 `vglb_last_error()` says what was wrong.
enum VglbStatus
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // It is done.
    VGLB_STATUS_OK = 0,
    // Nothing happened in the time given.
    VGLB_STATUS_TIMED_OUT = 1,
    // The stream has ended. Close the receiver; `vglb_wait_for_stream` waits for the stream to return.
    VGLB_STATUS_ENDED = 2,
    // An argument makes no sense: NULL, no UTF-8, out of range.
    VGLB_STATUS_ERROR_INVALID_ARGUMENT = -1,
    // A `struct_size` is not the one of this library's structure.
    VGLB_STATUS_ERROR_STRUCT_SIZE = -2,
    // The program was compiled for another `VGLB_ABI_VERSION`.
    VGLB_STATUS_ERROR_ABI_VERSION = -3,
    // A handle is NULL, was given back, or is a handle of something else.
    VGLB_STATUS_ERROR_INVALID_HANDLE = -4,
    // Another thread waits on the same receiver.
    VGLB_STATUS_ERROR_BUSY = -5,
    // There is no stream of that name.
    VGLB_STATUS_ERROR_NO_SUCH_STREAM = -6,
    // Textures can't be shared on this computer, or not in the way asked for.
    VGLB_STATUS_ERROR_UNAVAILABLE = -7,
    // The sender has refused this receiver, or sent it away for holding an image too long.
    VGLB_STATUS_ERROR_REFUSED = -8,
    // There is no memory for the texture.
    VGLB_STATUS_ERROR_OUT_OF_MEMORY = -9,
    // The sender does not keep to the transport's rules. Close the receiver.
    VGLB_STATUS_ERROR_PROTOCOL = -10,
    // The operating system refused something.
    VGLB_STATUS_ERROR_SYSTEM = -11,
    // The frame is of the other kind: see `VglbFrameInfo.kind`.
    VGLB_STATUS_ERROR_WRONG_KIND = -12,
    // Something does not work that should: the sender, the computer or this library.
    VGLB_STATUS_ERROR_BROKEN = -13,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum VglbStatus VglbStatus;
#else
typedef int32_t VglbStatus;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How a LUT of grid size N lies in its texture. With lattice indices r, g, b from 0 to N-1, x to the right and y down:
enum VglbLayout
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // The transport does not tell.
    VGLB_LAYOUT_UNKNOWN = -1,
    // x = b*N + g, y = r
    VGLB_LAYOUT_VGLB = 0,
    // x = b*N + r, y = g
    VGLB_LAYOUT_UNREAL = 1,
    // x = b*N + r, y = N-1-g
    VGLB_LAYOUT_UNITY = 2,
    // With p = r + N*(g + N*b) and the texture's width W: x = p mod W, y = p div W
    VGLB_LAYOUT_HALD_CLUT = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum VglbLayout VglbLayout;
#else
typedef int32_t VglbLayout;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How the texels of a texture are stored.
enum VglbFormat
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Four 32-bit floats a texel: R, G, B, A. The value is that of Vulkan's VK_FORMAT_R32G32B32A32_SFLOAT.
    VGLB_FORMAT_RGBA32_FLOAT = 109,
    // Something else, on a transport that other programs send through too. Pixels are converted to 32-bit floats.
    VGLB_FORMAT_OTHER = 0,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum VglbFormat VglbFormat;
#else
typedef int32_t VglbFormat;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Where a frame's texels are.
enum VglbKind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // In memory: `vglb_frame_pixels`.
    VGLB_KIND_PIXELS = 0,
    // In an image of a graphics device: `vglb_frame_image`.
    VGLB_KIND_IMAGE = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum VglbKind VglbKind;
#else
typedef int32_t VglbKind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A texture that was received. A handle: never look behind it, it points to nothing.
typedef struct VglbFrame VglbFrame;

// A stream being received. A handle: never look behind it, it points to nothing.
typedef struct VglbReceiver VglbReceiver;

// A list of streams. A handle: never look behind it, it points to nothing.
typedef struct VglbStreams VglbStreams;

// ASC CDL values; those of three numbers are for red, green and blue.
typedef struct VglbCdl {
    // 0 or more.
    double slope[3];
    // Added after the slope.
    double offset[3];
    // More than 0.
    double power[3];
    // 0 or more.
    double saturation;
} VglbCdl;

// What is known of a stream.
typedef struct VglbStreamInfo {
    // To be set to sizeof(VglbStreamInfo).
    uint32_t struct_size;
    // Width of the newest texture in texels.
    uint32_t width;
    // Height in texels.
    uint32_t height;
    // The LUT's grid size N, 2 to 128; 0 where the transport does not tell.
    uint32_t grid_size;
    // How the LUT lies in the texture.
    VglbLayout layout;
    // How texels are stored on the transport.
    VglbFormat format;
    // The newest revision; 0 where the transport has none.
    uint64_t revision;
    // When the newest texture was published, in nanoseconds since 1970-01-01 UTC; 0 where the transport does not tell.
    uint64_t published_realtime_ns;
    // The stream's name, UTF-8. The list's: valid until vglb_streams_free.
    const char *name;
    // The process that sends it, for people; NULL where the transport does not tell. The list's, as `name`.
    const char *sender;
    // The newest CDL values that the stream's channel was sent; NULL where there are none. The list's, as `name`.
    const struct VglbCdl *cdl;
} VglbStreamInfo;

// How to open a stream. Set all to 0, then `struct_size`, then what is wanted.
typedef struct VglbOpenOptions {
    // To be set to sizeof(VglbOpenOptions).
    uint32_t struct_size;
    // 0, or VGLB_OPEN_IMAGES.
    uint32_t flags;
    // With VGLB_OPEN_IMAGES: VkPhysicalDeviceIDProperties::deviceUUID, GL_DEVICE_UUID_EXT or cudaDeviceProp::uuid of
    // the device that is to import.
    uint8_t device_uuid[16];
    // With VGLB_OPEN_IMAGES: VkPhysicalDeviceIDProperties::driverUUID or GL_DRIVER_UUID_EXT. All 0 where the API has
    // none (CUDA): then the device decides alone.
    uint8_t driver_uuid[16];
} VglbOpenOptions;

// What is known of a texture.
typedef struct VglbFrameInfo {
    // To be set to sizeof(VglbFrameInfo).
    uint32_t struct_size;
    // Where its texels are.
    VglbKind kind;
    // Width in texels.
    uint32_t width;
    // Height in texels.
    uint32_t height;
    // The LUT's grid size N, 2 to 128; 0 where the transport does not tell.
    uint32_t grid_size;
    // How the LUT lies in the texture.
    VglbLayout layout;
    // The sender's revision: 1, 2, 3, and so on. Where the transport has none, a number that changes with every
    // texture.
    uint64_t revision;
    // When it was published, in nanoseconds since 1970-01-01 UTC; 0 where the transport does not tell.
    uint64_t published_realtime_ns;
    // The same by CLOCK_MONOTONIC; 0 where it is not known: it is for images alone.
    uint64_t published_monotonic_ns;
} VglbFrameInfo;

// A texture's texels in memory.
typedef struct VglbPixels {
    // To be set to sizeof(VglbPixels).
    uint32_t struct_size;
    // Bytes from one row to the next: width * 16, for rows are tightly packed.
    uint32_t row_pitch;
    // Bytes in all: width * height * 16.
    uint64_t bytes;
    // Rows from the top down, each of `width` texels of four 32-bit floats R, G, B, A, in the processor's byte order.
    // To be read only, by any thread, until vglb_release of the frame. Aligned to 16 bytes.
    const void *data;
} VglbPixels;

// A texture's image on a graphics device, described as its sender has made it. An importer makes the same, 2D, with
// one mip level, one layer and one sample: see docs/transport.md, "Importing". All images of one surface are alike.
typedef struct VglbImage {
    // To be set to sizeof(VglbImage).
    uint32_t struct_size;
    // Which image of the surface holds this texture, from 0.
    uint32_t slot;
    // The set of images that the stream's textures are in, by a number that no other set of the stream has. Import
    // when it changes: all slots, each once. Keep them until it changes again.
    uint64_t surface;
    // How many images the surface has.
    uint32_t slots;
    // VkFormat: 109, VK_FORMAT_R32G32B32A32_SFLOAT; GL_RGBA32F.
    VglbFormat format;
    // Width in texels.
    uint32_t width;
    // Height in texels.
    uint32_t height;
    // VkImageTiling: 0 optimal, 1 linear.
    uint32_t tiling;
    // VkImageUsageFlags.
    uint32_t usage;
    // Size of the memory allocation in bytes: VkMemoryAllocateInfo::allocationSize, and the size for
    // glImportMemoryFdEXT.
    uint64_t memory_bytes;
    // Where the image begins in the memory, in bytes.
    uint64_t offset;
    // Bytes from one row to the next where the tiling is linear; 0 where it is optimal.
    uint32_t row_pitch;
    // VkMemoryAllocateInfo::memoryTypeIndex.
    uint32_t memory_type_index;
    // 1 where the memory is a dedicated allocation of the image (VkMemoryDedicatedAllocateInfo), else 0.
    uint32_t dedicated;
    // VkExternalMemoryHandleTypeFlagBits of the descriptors: 1, VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT.
    uint32_t handle_type;
    // The sender's device. The importer's must be the same.
    uint8_t device_uuid[16];
    // The sender's driver. The importer's must be the same, where its API has one.
    uint8_t driver_uuid[16];
} VglbImage;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The `VGLB_ABI_VERSION` of the library that is running.
uint32_t vglb_abi_version(void);

// Whether a program that was compiled for an ABI version can use this library. Call it first, with VGLB_ABI_VERSION;
// VGLB_STATUS_ERROR_ABI_VERSION if it can't.
VglbStatus vglb_check_abi(uint32_t abi_version);

// The library's version, as "0.1.0". Static: never to be freed.
const char *vglb_version(void);

// What was wrong with the last call on this thread that failed, as a sentence in UTF-8: what it was, with the value,
// and what would be right. "" where none has failed. Never NULL. The library's: valid until the next call on this
// thread.
const char *vglb_last_error(void);

// The name of a status, as "VGLB_STATUS_ENDED"; of any other number "VGLB_STATUS_?". Static: never to be freed.
const char *vglb_status_name(int32_t status);

// Looks which streams there are on this computer now. No stream at all is an empty list and no error. Streams whose
// name holds a NUL can't be named in C, and are left out.
//
// The list is the caller's, to be given back with vglb_streams_free. Any thread, at any time.
VglbStatus vglb_list(struct VglbStreams **streams);

// How many streams a list has. Any thread, at any time.
VglbStatus vglb_streams_count(const struct VglbStreams *streams, size_t *count);

// What is known of the stream number `index` of a list, from 0. The texts in `info` are the list's: valid until
// vglb_streams_free. Any thread, at any time.
VglbStatus vglb_streams_get(const struct VglbStreams *streams,
                            size_t index,
                            struct VglbStreamInfo *info);

// Gives a list back. Its texts are not to be used any more.
VglbStatus vglb_streams_free(struct VglbStreams *streams);

// Waits until a stream of this name can be opened, at most `timeout_ms` milliseconds (below 0: for ever; 0: only
// looks). VGLB_STATUS_TIMED_OUT where the time is up before. A wait for ever can't be ended. Any thread, at any time.
VglbStatus vglb_wait_for_stream(const char *stream,
                                int64_t timeout_ms);

// Connects to a stream. `stream` is its name, UTF-8; `options` may be NULL: pixels then. Neither is used after the
// call. May take some seconds where the sender does not answer. VGLB_STATUS_ERROR_NO_SUCH_STREAM where there is none:
// the sentence says which there are.
//
// The receiver is the caller's, to be given back with vglb_close. Any thread, at any time.
VglbStatus vglb_open(const char *stream,
                     const struct VglbOpenOptions *options,
                     struct VglbReceiver **receiver);

// Waits for a texture that this receiver has not handed out yet, at most `timeout_ms` milliseconds (below 0: for ever;
// 0: only looks), and hands out the newest: those in between are skipped. A receiver that has just connected gets the
// texture that is there. VGLB_STATUS_TIMED_OUT where nothing new came, VGLB_STATUS_ENDED where the stream has ended;
// then and in case of an error `*frame` is NULL.
//
// The frame is the caller's, to be given back with vglb_release; it outlives the receiver. One thread at a time for
// one receiver: a second gets VGLB_STATUS_ERROR_BUSY. Different receivers at the same time.
VglbStatus vglb_wait(struct VglbReceiver *receiver,
                     int64_t timeout_ms,
                     struct VglbFrame **frame);

// Disconnects, and gives the receiver back. Frames that it has handed out stay valid; those that are images are to be
// released soon, or the sender takes them back after a second. Any thread, at any time: a vglb_wait of another thread
// ends within a moment with VGLB_STATUS_ERROR_INVALID_HANDLE.
VglbStatus vglb_close(struct VglbReceiver *receiver);

// What is known of a texture. Any thread, at any time before vglb_release.
VglbStatus vglb_frame_info(const struct VglbFrame *frame, struct VglbFrameInfo *info);

// The texels of a frame whose kind is VGLB_KIND_PIXELS; of another VGLB_STATUS_ERROR_WRONG_KIND. They are the frame's:
// read only, by any thread, valid until vglb_release. Any thread, at any time before that.
VglbStatus vglb_frame_pixels(const struct VglbFrame *frame,
                             struct VglbPixels *pixels);

// The image of a frame whose kind is VGLB_KIND_IMAGE; of another VGLB_STATUS_ERROR_WRONG_KIND. Any thread, at any time
// before vglb_release.
VglbStatus vglb_frame_image(const struct VglbFrame *frame,
                            struct VglbImage *image);

// A descriptor of the memory behind image number `slot` of the frame's surface, from 0: to be imported once into one's
// own device, as VglbImage describes it. Any slot can be asked for, not only the frame's own.
//
// `*fd` is the caller's: a new descriptor, closed on exec, that an import which succeeds takes over, and that the
// caller closes otherwise. The memory lives for as long as anybody has it, also after the frame was released and the
// sender has gone. -1 in case of an error. Any thread, at any time before vglb_release.
VglbStatus vglb_frame_image_fd(const struct VglbFrame *frame,
                               uint32_t slot,
                               int *fd);

// Gives a frame back. Its pixels are not to be read any more. An image is to be released once all of the device's work
// with it has ended (vkWaitForFences, glClientWaitSync, cudaStreamSynchronize), and within a second of the moment when
// the next texture is there: a receiver that keeps one for longer is sent away. Any thread.
VglbStatus vglb_release(struct VglbFrame *frame);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VGLB_H */
