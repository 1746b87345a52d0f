"""Shows two streams at once in asyncio, until both have ended: `python receive_async.py STREAM STREAM`."""

import asyncio
import sys

from virtual_gpu_lut_box import Receiver


async def show(name: str) -> None:
    with Receiver(name) as receiver:
        async for texture in receiver:
            print(f"{name} revision {receiver.revision}: {texture.shape[1]}×{texture.shape[0]}", flush=True)


async def main() -> None:
    await asyncio.gather(*(show(name) for name in sys.argv[1:]))


if __name__ == "__main__":
    asyncio.run(main())
