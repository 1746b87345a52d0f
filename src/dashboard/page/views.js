// The LUT by itself: its strip, its curves, its lattice.

const COLOURS = ['#ff6b5e', '#3ddc84', '#6aa5ff'];
const BYTE = (value) => Math.min(255, Math.max(0, Math.round(value * 255)));

export function drawStrip(canvas, lut) {
  canvas.width = lut.width;
  canvas.height = lut.height;
  const pen = canvas.getContext('2d');
  const image = pen.createImageData(lut.width, lut.height);
  for (let i = 0; i < image.data.length; i++) image.data[i] = i % 4 === 3 ? 255 : BYTE(lut.texels[i]);
  pen.putImageData(image, 0, 0);
}

/** Returns the lowest and the highest value on the axis. */
export function drawCurves(canvas, lut) {
  const n = lut.size;
  const axis = Array.from({ length: n }, (_, i) => lut.at(i, i, i));
  const values = axis.flatMap((entry) => [...entry]);
  const [low, high] = [Math.min(0, ...values), Math.max(1, ...values)];
  const [width, height, edge] = [canvas.width, canvas.height, 8];
  const pen = canvas.getContext('2d');
  const x = (i) => edge + (i / (n - 1)) * (width - 2 * edge);
  const y = (v) => height - edge - ((v - low) / (high - low)) * (height - 2 * edge);
  const path = (colour, points, thick) => {
    pen.strokeStyle = colour;
    pen.lineWidth = thick;
    pen.beginPath();
    points.forEach(([px, py], i) => (i ? pen.lineTo(px, py) : pen.moveTo(px, py)));
    pen.stroke();
  };
  pen.clearRect(0, 0, width, height);
  for (const level of [0, 0.25, 0.5, 0.75, 1]) path('#3a4048', [[x(0), y(level)], [x(n - 1), y(level)]], 1);
  path('#7a838d', [[x(0), y(0)], [x(n - 1), y(1)]], 1);
  pen.globalCompositeOperation = 'screen';
  COLOURS.forEach((colour, c) => path(colour, axis.map((entry, i) => [x(i), y(entry[c])]), 2.5));
  pen.globalCompositeOperation = 'source-over';
  return [Math.min(...values), Math.max(...values)];
}

/** The colour cube, which can be turned. */
export class Lattice {
  constructor(canvas) {
    this.canvas = canvas;
    this.turn = [-0.6, 0.45];
    const by = (across, up) => {
      this.turn = [this.turn[0] + across, Math.max(-1.5, Math.min(1.5, this.turn[1] + up))];
      this.draw();
    };
    canvas.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
      if (!step) return;
      event.preventDefault();
      by(...step);
    });
    canvas.addEventListener('pointerdown', (event) => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener('pointermove', (event) => {
      if (event.buttons & 1) by(event.movementX * 0.01, event.movementY * 0.01);
    });
  }

  show(lut) {
    this.lut = lut;
    this.draw();
  }

  draw() {
    const { lut, canvas } = this;
    if (!lut) return;
    const pen = canvas.getContext('2d');
    const [across, up] = this.turn;
    const [ca, sa, cu, su] = [Math.cos(across), Math.sin(across), Math.cos(up), Math.sin(up)];
    const scale = Math.min(canvas.width, canvas.height) * 0.52;
    const place = ([r, g, b]) => {
      const [x, y, z] = [r - 0.5, g - 0.5, b - 0.5];
      const [px, depth] = [x * ca - z * sa, x * sa + z * ca];
      return [canvas.width / 2 + px * scale, canvas.height / 2 - (y * cu - depth * su) * scale];
    };
    const line = (from, to, colour, width) => {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.beginPath();
      pen.moveTo(...place(from));
      pen.lineTo(...place(to));
      pen.stroke();
    };
    pen.clearRect(0, 0, canvas.width, canvas.height);
    for (let corner = 0; corner < 8; corner++) {
      const at = [corner & 1, (corner >> 1) & 1, corner >> 2];
      at.forEach((v, axis) => v || line(at, at.map((w, i) => (i === axis ? 1 : w)), '#4a525b', 1));
    }
    const last = lut.size - 1;
    const steps = Math.min(lut.size, 9);
    const node = (i) => Math.round((i * last) / (steps - 1));
    const clamp = (v) => Math.min(2, Math.max(-1, v));
    for (let r = 0; r < steps; r++) {
      for (let g = 0; g < steps; g++) {
        for (let b = 0; b < steps; b++) {
          const point = [node(r), node(g), node(b)];
          const from = point.map((v) => v / last);
          const to = [...lut.at(...point)].map(clamp);
          const colour = `rgb(${from.map((v) => 40 + Math.round(v * 215)).join(' ')})`;
          line(from, to, colour, 1.5);
          const [x, y] = place(to);
          pen.fillStyle = colour;
          pen.fillRect(x - 1.5, y - 1.5, 3, 3);
        }
      }
    }
  }
}
