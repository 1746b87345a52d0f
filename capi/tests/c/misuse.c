/* Everything that a program can get wrong without lying to its compiler: each is an error with its code and a sentence.
 * The one argument is the name of a stream that is there. */
#include <stdio.h>
#include <string.h>

#include "vglb.h"

static int faults;

static void expect(int line, VglbStatus got, VglbStatus wanted, const char *sentence)
{
    if (got != wanted) {
        printf("line %d: %s instead of %s: %s\n", line, vglb_status_name(got), vglb_status_name(wanted),
               vglb_last_error());
        faults++;
    } else if (wanted < 0 && !strstr(vglb_last_error(), sentence)) {
        printf("line %d: \"%s\" does not say \"%s\"\n", line, vglb_last_error(), sentence);
        faults++;
    }
}

static void hold(int line, int truth)
{
    if (!truth) {
        printf("line %d: not so\n", line);
        faults++;
    }
}

#define EXPECT(call, status, sentence) expect(__LINE__, (call), VGLB_STATUS_##status, (sentence))
#define HOLD(truth) hold(__LINE__, (truth))

/* Points somewhere, and is no handle. */
#define MADE_UP(type) ((type *)(void *)&faults)

static void versions(void)
{
    HOLD(vglb_abi_version() == VGLB_ABI_VERSION);
    HOLD(strchr(vglb_version(), '.') != NULL);
    HOLD(strcmp(vglb_last_error(), "") == 0);
    EXPECT(vglb_check_abi(VGLB_ABI_VERSION), OK, "");
    EXPECT(vglb_check_abi(VGLB_ABI_VERSION + 1), ERROR_ABI_VERSION, "compile with the header");
    HOLD(strcmp(vglb_status_name(VGLB_STATUS_ENDED), "VGLB_STATUS_ENDED") == 0);
    HOLD(strcmp(vglb_status_name(-12345), "VGLB_STATUS_?") == 0);
}

static void lists(void)
{
    VglbStreams *streams = MADE_UP(VglbStreams);
    VglbStreamInfo info;
    size_t count = 77;

    memset(&info, 0, sizeof info);
    EXPECT(vglb_list(NULL), ERROR_INVALID_ARGUMENT, "streams is NULL");
    EXPECT(vglb_streams_count(NULL, &count), ERROR_INVALID_HANDLE, "the list of streams is NULL");
    HOLD(count == 0);
    EXPECT(vglb_streams_count(streams, &count), ERROR_INVALID_HANDLE, "is no list of streams");
    EXPECT(vglb_streams_free(NULL), ERROR_INVALID_HANDLE, "is NULL");
    EXPECT(vglb_list(&streams), OK, "");
    EXPECT(vglb_streams_count(streams, NULL), ERROR_INVALID_ARGUMENT, "count is NULL");
    EXPECT(vglb_streams_count(streams, &count), OK, "");
    HOLD(count == 1);
    EXPECT(vglb_streams_get(streams, 0, NULL), ERROR_INVALID_ARGUMENT, "VglbStreamInfo is NULL");
    EXPECT(vglb_streams_get(streams, 0, &info), ERROR_STRUCT_SIZE, "VglbStreamInfo.struct_size is 0; this library's is");
    info.struct_size = sizeof info + 8;
    EXPECT(vglb_streams_get(streams, 0, &info), ERROR_STRUCT_SIZE, "set it to sizeof(VglbStreamInfo)");
    info.struct_size = sizeof info;
    EXPECT(vglb_streams_get(streams, 1, &info), ERROR_INVALID_ARGUMENT, "stream 1 of 1, counted from 0");
    EXPECT(vglb_streams_get(streams, 0, &info), OK, "");
    EXPECT(vglb_streams_free(streams), OK, "");
    EXPECT(vglb_streams_free(streams), ERROR_INVALID_HANDLE, "or one that was given back");
    EXPECT(vglb_streams_get(streams, 0, &info), ERROR_INVALID_HANDLE, "or one that was given back");
}

static void opening(const char *stream)
{
    VglbReceiver *receiver = MADE_UP(VglbReceiver);
    VglbOpenOptions options;

    memset(&options, 0, sizeof options);
    EXPECT(vglb_open(NULL, NULL, &receiver), ERROR_INVALID_ARGUMENT, "stream is NULL");
    HOLD(receiver == NULL);
    EXPECT(vglb_open(stream, NULL, NULL), ERROR_INVALID_ARGUMENT, "receiver is NULL");
    EXPECT(vglb_open("no such", NULL, &receiver), ERROR_NO_SUCH_STREAM, "there is no stream \"no such\"; there is ");
    EXPECT(vglb_open("\xff\xfe", NULL, &receiver), ERROR_INVALID_ARGUMENT, "is not UTF-8");
    EXPECT(vglb_open("", NULL, &receiver), ERROR_INVALID_ARGUMENT, "the stream name \"\" can't be used");
    EXPECT(vglb_open(stream, &options, &receiver), ERROR_STRUCT_SIZE, "VglbOpenOptions.struct_size is 0");
    options.struct_size = sizeof options;
    options.flags = 0x80;
    EXPECT(vglb_open(stream, &options, &receiver), ERROR_INVALID_ARGUMENT, "flags 0x80 are not known");
    options.flags = VGLB_OPEN_IMAGES;
    EXPECT(vglb_open(stream, &options, &receiver), ERROR_INVALID_ARGUMENT, "needs the device_uuid");
    EXPECT(vglb_wait_for_stream(NULL, 0), ERROR_INVALID_ARGUMENT, "stream is NULL");
    EXPECT(vglb_wait_for_stream("no such", 0), TIMED_OUT, "");
    EXPECT(vglb_wait_for_stream(stream, -1), OK, "");
}

static void receiving(const char *stream)
{
    VglbReceiver *receiver;
    VglbFrame *frame = MADE_UP(VglbFrame), *late = MADE_UP(VglbFrame);
    VglbFrameInfo info;
    VglbPixels pixels;
    VglbImage image;
    int fd = 77;

    memset(&info, 0, sizeof info);
    memset(&pixels, 0, sizeof pixels);
    memset(&image, 0, sizeof image);
    EXPECT(vglb_wait(NULL, 0, &frame), ERROR_INVALID_HANDLE, "the receiver is NULL");
    HOLD(frame == NULL);
    EXPECT(vglb_open(stream, NULL, &receiver), OK, "");
    EXPECT(vglb_wait(receiver, 0, NULL), ERROR_INVALID_ARGUMENT, "frame is NULL");
    EXPECT(vglb_wait(receiver, -1, &frame), OK, "");
    EXPECT(vglb_wait(receiver, 0, &late), TIMED_OUT, "");
    HOLD(late == NULL);
    EXPECT(vglb_wait((VglbReceiver *)(void *)frame, 0, &late), ERROR_INVALID_HANDLE, "is no receiver");
    EXPECT(vglb_frame_info((VglbFrame *)(void *)receiver, &info), ERROR_STRUCT_SIZE, "VglbFrameInfo.struct_size is 0");
    info.struct_size = sizeof info;
    EXPECT(vglb_frame_info((VglbFrame *)(void *)receiver, &info), ERROR_INVALID_HANDLE, "is no frame");
    EXPECT(vglb_frame_info(frame, NULL), ERROR_INVALID_ARGUMENT, "VglbFrameInfo is NULL");
    EXPECT(vglb_frame_info(NULL, &info), ERROR_INVALID_HANDLE, "the frame is NULL");
    EXPECT(vglb_frame_info(frame, &info), OK, "");
    HOLD(info.kind == VGLB_KIND_PIXELS && info.struct_size == sizeof info);
    EXPECT(vglb_frame_pixels(frame, &pixels), ERROR_STRUCT_SIZE, "VglbPixels.struct_size is 0");
    pixels.struct_size = sizeof pixels;
    EXPECT(vglb_frame_pixels(frame, &pixels), OK, "");
    HOLD(pixels.bytes == (uint64_t)info.width * info.height * 16 && pixels.row_pitch == info.width * 16);
    image.struct_size = sizeof image;
    EXPECT(vglb_frame_image(frame, &image), ERROR_WRONG_KIND, "the frame is pixels in memory: call vglb_frame_pixels");
    EXPECT(vglb_frame_image_fd(frame, 0, NULL), ERROR_INVALID_ARGUMENT, "fd is NULL");
    EXPECT(vglb_frame_image_fd(frame, 0, &fd), ERROR_WRONG_KIND, "call vglb_frame_pixels");
    HOLD(fd == -1);

    /* The frame outlives its receiver; the receiver does not outlive its end. */
    EXPECT(vglb_close(NULL), ERROR_INVALID_HANDLE, "the receiver is NULL");
    EXPECT(vglb_close(receiver), OK, "");
    EXPECT(vglb_close(receiver), ERROR_INVALID_HANDLE, "is no receiver, or one that was given back");
    EXPECT(vglb_wait(receiver, 0, &late), ERROR_INVALID_HANDLE, "or one that was given back");
    EXPECT(vglb_frame_info(frame, &info), OK, "");
    EXPECT(vglb_release(NULL), ERROR_INVALID_HANDLE, "the frame is NULL");
    EXPECT(vglb_release(frame), OK, "");
    EXPECT(vglb_release(frame), ERROR_INVALID_HANDLE, "is no frame, or one that was given back");
    EXPECT(vglb_frame_pixels(frame, &pixels), ERROR_INVALID_HANDLE, "or one that was given back");
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    versions();
    lists();
    opening(argv[1]);
    receiving(argv[1]);
    printf("%d faults\n", faults);
    return faults == 0 ? 0 : 1;
}
