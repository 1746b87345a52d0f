/* Two threads and one receiver: the second to wait is refused, and closing ends the wait of the first.
 * The one argument is the name of a stream that is there. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vglb.h"

static void must(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "threads: %s: %s\n", what, vglb_last_error());
        exit(1);
    }
}

/* Waits for ever; nothing new comes. */
static void *wait_for_ever(void *receiver)
{
    VglbFrame *frame;
    VglbStatus status;

    do {
        status = vglb_wait((VglbReceiver *)receiver, -1, &frame);
    } while (status == VGLB_STATUS_ERROR_BUSY);
    must(status == VGLB_STATUS_ERROR_INVALID_HANDLE && frame == NULL, "closing ends the wait");
    must(strstr(vglb_last_error(), "closed by another thread") != NULL, "the sentence is this thread's");
    return NULL;
}

int main(int argc, char **argv)
{
    VglbReceiver *receiver;
    VglbFrame *first, *other;
    VglbFrameInfo info;
    pthread_t thread;
    VglbStatus status;

    must(argc == 2, "one argument");
    must(vglb_open(argv[1], NULL, &receiver) == VGLB_STATUS_OK, "opening");
    must(vglb_wait(receiver, -1, &first) == VGLB_STATUS_OK, "waiting");
    must(pthread_create(&thread, NULL, wait_for_ever, receiver) == 0, "a thread");
    do {
        status = vglb_wait(receiver, 0, &other);
        must(status == VGLB_STATUS_TIMED_OUT || status == VGLB_STATUS_ERROR_BUSY, "looking");
    } while (status != VGLB_STATUS_ERROR_BUSY);
    must(strstr(vglb_last_error(), "another thread waits on this receiver") != NULL, "the sentence is this thread's");
    must(vglb_close(receiver) == VGLB_STATUS_OK, "closing");
    must(pthread_join(thread, NULL) == 0, "joining");
    info.struct_size = sizeof info;
    must(vglb_frame_info(first, &info) == VGLB_STATUS_OK, "a frame outlives its receiver");
    must(vglb_release(first) == VGLB_STATUS_OK, "releasing");
    printf("done\n");
    return 0;
}
