/* Receives the textures of a stream, and saves or compares their texels.
 *
 *     receive                                    lists the streams
 *     receive STREAM [COUNT [save|compare FILE]]  receives COUNT textures (default 1)
 *
 * `save` writes the last texture's texels to FILE as they are: rows from the top down, four floats a texel. `compare`
 * says whether FILE holds the same bits. Exit code: 0 done, 1 failed or not the same, 2 the command line makes no
 * sense.
 *
 *     cc -std=c99 -Icapi/include capi/examples/receive.c -Ltarget/release -lvglb -o receive
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vglb.h"

/* How long to wait for a stream and for each texture. */
#define PATIENCE_MS 60000

static int failed(const char *what, VglbStatus status)
{
    const char *why = status < 0 ? vglb_last_error() : "";
    fprintf(stderr, "receive: %s: %s %s\n", what, vglb_status_name(status), why);
    return 1;
}

static int list(void)
{
    VglbStreams *streams;
    size_t count = 0, i;
    VglbStatus status = vglb_list(&streams);

    if (status != VGLB_STATUS_OK)
        return failed("listing", status);
    status = vglb_streams_count(streams, &count);
    for (i = 0; i < count && status == VGLB_STATUS_OK; i++) {
        VglbStreamInfo info;

        info.struct_size = sizeof info;
        status = vglb_streams_get(streams, i, &info);
        if (status != VGLB_STATUS_OK)
            break;
        printf("%s: %" PRIu32 "x%" PRIu32 ", N %" PRIu32 ", layout %d, format %d, revision %" PRIu64 ", from %s\n",
               info.name, info.width, info.height, info.grid_size, (int)info.layout, (int)info.format, info.revision,
               info.sender ? info.sender : "?");
        if (info.cdl != NULL)
            printf("  slope %g %g %g, offset %g %g %g, power %g %g %g, saturation %g\n", info.cdl->slope[0],
                   info.cdl->slope[1], info.cdl->slope[2], info.cdl->offset[0], info.cdl->offset[1],
                   info.cdl->offset[2], info.cdl->power[0], info.cdl->power[1], info.cdl->power[2],
                   info.cdl->saturation);
    }
    if (status != VGLB_STATUS_OK)
        failed("listing", status);
    vglb_streams_free(streams);
    return status == VGLB_STATUS_OK ? 0 : 1;
}

static int save(const VglbPixels *pixels, const char *name)
{
    FILE *file = fopen(name, "wb");
    size_t written;

    if (!file) {
        perror(name);
        return 1;
    }
    written = fwrite(pixels->data, 1, (size_t)pixels->bytes, file);
    if (fclose(file) != 0 || written != pixels->bytes) {
        perror(name);
        return 1;
    }
    return 0;
}

static int compare(const VglbPixels *pixels, const char *name)
{
    FILE *file = fopen(name, "rb");
    unsigned char *wanted = (unsigned char *)malloc((size_t)pixels->bytes + 1);
    size_t got = 0;
    int same;

    if (file && wanted)
        got = fread(wanted, 1, (size_t)pixels->bytes + 1, file);
    else
        perror(name);
    same = file && wanted && got == pixels->bytes && memcmp(wanted, pixels->data, got) == 0;
    if (file)
        fclose(file);
    free(wanted);
    printf("the same bits as %s: %s\n", name, same ? "yes" : "no");
    return same ? 0 : 1;
}

/* Shows one texture; with `how`, saves or compares it. */
static int show(const VglbFrame *frame, const char *how, const char *name)
{
    VglbFrameInfo info;
    VglbPixels pixels;
    VglbStatus status;
    const float *first;

    info.struct_size = sizeof info;
    pixels.struct_size = sizeof pixels;
    status = vglb_frame_info(frame, &info);
    if (status == VGLB_STATUS_OK)
        status = vglb_frame_pixels(frame, &pixels);
    if (status != VGLB_STATUS_OK)
        return failed("reading", status);
    first = (const float *)pixels.data;
    printf("revision %" PRIu64 ": N %" PRIu32 ", %" PRIu32 "x%" PRIu32 ", layout %d, first texel %g %g %g %g\n",
           info.revision, info.grid_size, info.width, info.height, (int)info.layout, first[0], first[1], first[2],
           first[3]);
    fflush(stdout);
    if (how && strcmp(how, "save") == 0)
        return save(&pixels, name);
    if (how)
        return compare(&pixels, name);
    return 0;
}

static int receive(const char *stream, long count, const char *how, const char *name)
{
    VglbReceiver *receiver;
    VglbStatus status = vglb_wait_for_stream(stream, PATIENCE_MS);
    int result = 0;

    if (status != VGLB_STATUS_OK)
        return failed(stream, status);
    status = vglb_open(stream, NULL, &receiver);
    if (status != VGLB_STATUS_OK)
        return failed(stream, status);
    for (; count > 0 && result == 0; count--) {
        VglbFrame *frame;

        status = vglb_wait(receiver, PATIENCE_MS, &frame);
        if (status != VGLB_STATUS_OK) {
            result = failed(stream, status);
            break;
        }
        result = show(frame, count == 1 ? how : NULL, name);
        vglb_release(frame);
    }
    vglb_close(receiver);
    return result;
}

int main(int argc, char **argv)
{
    long count = argc > 2 ? strtol(argv[2], NULL, 10) : 1;
    VglbStatus status = vglb_check_abi(VGLB_ABI_VERSION);

    if (status != VGLB_STATUS_OK)
        return failed("libvglb", status);
    if (argc == 1)
        return list();
    if (argc > 5 || argc == 4 || count < 1 || (argc == 5 && strcmp(argv[3], "save") && strcmp(argv[3], "compare"))) {
        fprintf(stderr, "usage: receive [STREAM [COUNT [save|compare FILE]]]\n");
        return 2;
    }
    return receive(argv[1], count, argc == 5 ? argv[3] : NULL, argc == 5 ? argv[4] : NULL);
}
