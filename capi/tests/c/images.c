/* Takes a stream as images of a graphics device, prints all that an importer needs, and hands the descriptors over to
 * whoever is at the other end of standard input, which is a socket. Holds the frame until a byte comes from there.
 *
 *     images STREAM DEVICEUUID DRIVERUUID      (UUIDs as 32 hexadecimal digits)
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "vglb.h"

#define MOST_SLOTS 16

static int open_descriptors(void)
{
    DIR *all = opendir("/proc/self/fd");
    int count = 0;

    while (all && readdir(all))
        count++;
    if (all)
        closedir(all);
    return count;
}

static void must(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "images: %s: %s\n", what, vglb_last_error());
        exit(1);
    }
}

static void parse_uuid(const char *text, uint8_t *uuid)
{
    int i;

    must(strlen(text) == 32, "a UUID of 32 digits");
    for (i = 0; i < 16; i++) {
        unsigned int byte = 0;

        must(sscanf(text + 2 * i, "%2x", &byte) == 1, "a UUID in hexadecimal");
        uuid[i] = (uint8_t)byte;
    }
}

static void print_uuid(const char *name, const uint8_t *uuid)
{
    int i;

    printf("%s ", name);
    for (i = 0; i < 16; i++)
        printf("%02x", uuid[i]);
    printf("\n");
}

static void print(const VglbFrameInfo *info, const VglbImage *image)
{
    printf("revision %" PRIu64 "\n", info->revision);
    printf("grid_size %" PRIu32 "\n", info->grid_size);
    printf("layout %d\n", (int)info->layout);
    printf("published %d\n", info->published_realtime_ns > 0 && info->published_monotonic_ns > 0);
    printf("slot %" PRIu32 "\n", image->slot);
    printf("slots %" PRIu32 "\n", image->slots);
    printf("format %d\n", (int)image->format);
    printf("width %" PRIu32 "\n", image->width);
    printf("height %" PRIu32 "\n", image->height);
    printf("tiling %" PRIu32 "\n", image->tiling);
    printf("usage %" PRIu32 "\n", image->usage);
    printf("memory_bytes %" PRIu64 "\n", image->memory_bytes);
    printf("offset %" PRIu64 "\n", image->offset);
    printf("row_pitch %" PRIu32 "\n", image->row_pitch);
    printf("memory_type_index %" PRIu32 "\n", image->memory_type_index);
    printf("dedicated %" PRIu32 "\n", image->dedicated);
    printf("handle_type %" PRIu32 "\n", image->handle_type);
    print_uuid("device_uuid", image->device_uuid);
    print_uuid("driver_uuid", image->driver_uuid);
    fflush(stdout);
}

static void hand_over(const int *fds, uint32_t count)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(MOST_SLOTS * sizeof(int))];
    } control;
    char byte = 'F';
    struct iovec data;
    struct msghdr message;
    struct cmsghdr *rights;

    memset(&control, 0, sizeof control);
    memset(&message, 0, sizeof message);
    data.iov_base = &byte;
    data.iov_len = 1;
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(rights), fds, count * sizeof(int));
    must(sendmsg(STDIN_FILENO, &message, 0) == 1, "handing the descriptors over");
}

int main(int argc, char **argv)
{
    VglbOpenOptions options;
    VglbReceiver *receiver;
    VglbFrame *frame;
    VglbFrameInfo info;
    VglbPixels pixels;
    VglbImage image;
    int fds[MOST_SLOTS], none = 77;
    uint32_t slot;
    char byte;
    const int before = open_descriptors();

    must(argc == 4, "three arguments");
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.flags = VGLB_OPEN_IMAGES;
    parse_uuid(argv[2], options.device_uuid);
    parse_uuid(argv[3], options.driver_uuid);
    must(vglb_open(argv[1], &options, &receiver) == VGLB_STATUS_OK, "opening");

    /* Pixels come first, as long as the sender is opening its device. */
    info.struct_size = sizeof info;
    for (;;) {
        must(vglb_wait(receiver, 60000, &frame) == VGLB_STATUS_OK, "waiting");
        must(vglb_frame_info(frame, &info) == VGLB_STATUS_OK, "asking");
        if (info.kind == VGLB_KIND_IMAGE)
            break;
        must(vglb_release(frame) == VGLB_STATUS_OK, "releasing pixels");
    }
    image.struct_size = sizeof image;
    pixels.struct_size = sizeof pixels;
    must(vglb_frame_image(frame, &image) == VGLB_STATUS_OK, "describing");
    must(vglb_frame_pixels(frame, &pixels) == VGLB_STATUS_ERROR_WRONG_KIND, "an image has no pixels");
    must(vglb_frame_image_fd(frame, image.slots, &none) == VGLB_STATUS_ERROR_INVALID_ARGUMENT && none == -1, "slots");
    must(image.slots <= MOST_SLOTS, "few slots");
    for (slot = 0; slot < image.slots; slot++)
        must(vglb_frame_image_fd(frame, slot, &fds[slot]) == VGLB_STATUS_OK && fds[slot] >= 0, "a descriptor");
    print(&info, &image);
    hand_over(fds, image.slots);
    for (slot = 0; slot < image.slots; slot++)
        must(close(fds[slot]) == 0, "closing a descriptor");

    while (read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR)
        ;
    must(vglb_release(frame) == VGLB_STATUS_OK, "releasing the image");
    must(vglb_close(receiver) == VGLB_STATUS_OK, "closing");
    must(before > 0 && open_descriptors() == before, "every descriptor is closed");
    return 0;
}
