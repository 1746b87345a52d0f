// A LUT as the server gives it: the texture of its stream, with every bit.

const LAYOUTS = ['vglb', 'unreal', 'unity', 'hald-clut'];

export class Lut {
  constructor(texels, size, layout, width, height, probed) {
    this.texels = texels;
    this.size = size;
    this.layout = layout;
    this.width = width;
    this.height = height;
    /** What it makes of the colour that was asked for with it, by the server's reference; null where none was. */
    this.probed = probed;
  }

  static async of(answer) {
    const number = (name) => Number(answer.headers.get(name));
    const layout = answer.headers.get('X-Strip-Layout');
    const texels = new Float32Array(await answer.arrayBuffer());
    const probed = answer.headers.get('X-Probe')?.split(',').map(Number) ?? null;
    return new Lut(texels, number('X-LUT-Size'), layout, number('X-Strip-Width'), number('X-Strip-Height'), probed);
  }

  /** The number that the shader has for the layout. */
  get layoutNumber() {
    return LAYOUTS.indexOf(this.layout);
  }

  /** The entry of a lattice point, by the table in docs/layouts.md. */
  at(r, g, b) {
    const n = this.size;
    const [x, y] = {
      'vglb': () => [b * n + g, r],
      'unreal': () => [b * n + r, g],
      'unity': () => [b * n + r, n - 1 - g],
      'hald-clut': () => {
        const p = r + n * (g + n * b);
        return [p % this.width, Math.floor(p / this.width)];
      },
    }[this.layout]();
    const first = 4 * (y * this.width + x);
    return this.texels.subarray(first, first + 3);
  }
}
