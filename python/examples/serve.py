"""The LUT box without Python in the way of the LUTs: `python serve.py [PORT]`. Ctrl-C ends it."""

import sys

from virtual_gpu_lut_box import VirtualGPULUTBoxServer


def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8089
    with VirtualGPULUTBoxServer(port=port, verbose=True) as server:
        for address, chosen in server.addresses:
            print(f"listening on {address}:{chosen}", flush=True)
        try:
            server.wait()
        except KeyboardInterrupt:
            print("stopping", flush=True)


if __name__ == "__main__":
    main()
