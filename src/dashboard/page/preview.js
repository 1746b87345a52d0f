// The picture with the LUT on it, by the shader that the project ships for WebGL.

const VERTEX = `#version 300 es
void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0); }`;

const loaded = fetch('vglb_300es.frag').then((answer) => answer.text());

export class Preview {
  /** Throws where the browser has no WebGL 2. */
  constructor(canvas) {
    this.canvas = canvas;
    const gl = canvas.getContext('webgl2', { antialias: false, alpha: false, preserveDrawingBuffer: true });
    if (!gl) throw new Error('this browser has no WebGL 2, which the preview needs');
    this.gl = gl;
    this.floats = Boolean(gl.getExtension('EXT_color_buffer_float'));
    this.programs = new Map();
    this.pictureTexture = this.texture();
    this.lutTexture = this.texture();
    this.onePixel = this.texture();
    gl.bindVertexArray(gl.createVertexArray());
  }

  texture() {
    const { gl } = this;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    for (const [name, value] of [[gl.TEXTURE_MIN_FILTER, gl.NEAREST], [gl.TEXTURE_MAG_FILTER, gl.NEAREST],
      [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE], [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE]]) {
      gl.texParameteri(gl.TEXTURE_2D, name, value);
    }
    return texture;
  }

  fill(texture, width, height, texels) {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, width, height, 0, gl.RGBA, gl.FLOAT, texels);
  }

  /** A chart, or an ImageBitmap with its bottom row first. */
  setPicture(picture) {
    const { gl } = this;
    this.width = picture.width;
    this.height = picture.height;
    this.pictureIsFloat = Boolean(picture.texels);
    if (picture.texels) {
      this.fill(this.pictureTexture, picture.width, picture.height, picture.texels);
    } else {
      gl.bindTexture(gl.TEXTURE_2D, this.pictureTexture);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, picture);
    }
  }

  setLut(lut) {
    this.lut = lut;
    this.fill(this.lutTexture, lut.width, lut.height, lut.texels);
  }

  /** The shader for a layout. Left of the wipe, nothing of the grade is mixed in. */
  async program(layout) {
    if (this.programs.has(layout)) return this.programs.get(layout);
    const settings = `uniform highp float wipe;
#define VGLB_MIX (gl_FragCoord.x < wipe ? 0.0 : 1.0)
#define VGLB_LAYOUT ${layout}
`;
    const source = (await loaded).replace(/^(#version.*\n)/, `$1${settings}`);
    const { gl } = this;
    const program = gl.createProgram();
    for (const [type, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, source]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    this.programs.set(layout, program);
    return program;
  }

  /** Draws at once, so that no other drawing comes between. */
  use(program, picture, wipe, width, height) {
    const { gl } = this;
    gl.useProgram(program);
    for (const [unit, name, texture] of [[0, 'picture', picture], [1, 'lut_image', this.lutTexture]]) {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.uniform1i(gl.getUniformLocation(program, name), unit);
    }
    gl.activeTexture(gl.TEXTURE0);
    gl.uniform1f(gl.getUniformLocation(program, 'wipe'), wipe);
    gl.viewport(0, 0, width, height);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** Draws; `wipe` is the part of the width that stays as it is. */
  async draw(wipe) {
    if (!this.lut || !this.width) return;
    const program = await this.program(this.lut.layoutNumber);
    if (this.canvas.width !== this.width || this.canvas.height !== this.height) {
      this.canvas.width = this.width;
      this.canvas.height = this.height;
    }
    this.use(program, this.pictureTexture, wipe * this.width, this.width, this.height);
  }

  /** What the shader makes of one colour, as floats; null where the browser can't draw into floats. */
  async probe(rgb) {
    if (!this.lut || !this.floats) return null;
    const program = await this.program(this.lut.layoutNumber);
    const { gl } = this;
    const target = this.texture();
    this.fill(target, 1, 1, null);
    this.fill(this.onePixel, 1, 1, new Float32Array([...rgb, 1]));
    const frame = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, target, 0);
    this.use(program, this.onePixel, 0, 1, 1);
    const out = new Float32Array(4);
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.FLOAT, out);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.deleteFramebuffer(frame);
    gl.deleteTexture(target);
    return out.subarray(0, 3);
  }

  /** The picture's own colour at a place, from 0 to 1 across and down. */
  pick(across, down) {
    const { gl } = this;
    const frame = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.pictureTexture, 0);
    const at = (part, size) => Math.min(size - 1, Math.floor(part * size));
    const [x, y] = [at(across, this.width), this.height - 1 - at(down, this.height)];
    let rgb = null;
    if (gl.checkFramebufferStatus(gl.FRAMEBUFFER) === gl.FRAMEBUFFER_COMPLETE) {
      const floats = this.pictureIsFloat;
      const out = floats ? new Float32Array(4) : new Uint8Array(4);
      gl.readPixels(x, y, 1, 1, gl.RGBA, floats ? gl.FLOAT : gl.UNSIGNED_BYTE, out);
      rgb = [...out.subarray(0, 3)].map((v) => (floats ? v : v / 255));
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.deleteFramebuffer(frame);
    return rgb;
  }
}
