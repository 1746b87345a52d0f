"""Shows what a stream carries, until it ends: `python receive.py [STREAM]`."""

import sys

from virtual_gpu_lut_box import Receiver, list_streams


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "OpenGradeIO-LUT"
    for stream in list_streams():
        print(f"there is {stream.name}, {stream.width}×{stream.height}", flush=True)
    with Receiver(name) as receiver:
        # Waits for the stream, gives each texture, and ends with the stream.
        for texture in receiver:
            black, white = texture[0, 0, :3], texture[-1, -1, :3]
            print(f"revision {receiver.revision}: black {black}, white {white}", flush=True)


if __name__ == "__main__":
    main()
