// Pictures to look at, made here: rows of R, G, B, A as floats, the bottom row first, as WebGL counts them.

const WIDTH = 960;
const HEIGHT = 540;

const BARS = [[1, 1, 1], [1, 1, 0], [0, 1, 1], [0, 1, 0], [1, 0, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0]];

// Display values of skin from light to dark, lit from one side; chosen by eye.
const SKIN = [[0.95, 0.8, 0.71], [0.88, 0.68, 0.56], [0.78, 0.57, 0.44], [0.65, 0.44, 0.32], [0.48, 0.32, 0.23], [0.32, 0.21, 0.16]];

const CHARTS = {
  'Ramps': (u, v) => {
    const band = Math.min(3, Math.floor(v * 4));
    return band === 0 ? [u, u, u] : [0, 1, 2].map((c) => (c === band - 1 ? u : 0));
  },
  'Colour bars': (u, v) => {
    const bar = BARS[Math.min(7, Math.floor(u * 8))];
    const level = v < 0.5 ? 0.75 : v < 0.8 ? 1 : 0.4;
    return bar.map((c) => c * level);
  },
  'Skin tones': (u, v) => {
    const skin = SKIN[Math.min(5, Math.floor(u * 6))];
    const light = 0.25 + 0.85 * (1 - v);
    return skin.map((c) => Math.min(1, c * light));
  },
  'Grey scale': (u, v) => {
    const step = Math.min(20, Math.floor(u * 21)) / 20;
    const level = v < 0.5 ? step : 1 - step;
    return [level, level, level];
  },
  'Hues': (u, v) => {
    const wave = (shift) => Math.min(1, Math.max(0, Math.abs(((u * 6 + shift) % 6) - 3) - 1));
    return [wave(0), wave(4), wave(2)].map((c) => (v < 0.5 ? 1 - (1 - c) * v * 2 : c * (2 - v * 2)));
  },
};

export const chartNames = Object.keys(CHARTS);

export function chart(name) {
  const texels = new Float32Array(WIDTH * HEIGHT * 4);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const colour = CHARTS[name](x / (WIDTH - 1), 1 - y / (HEIGHT - 1));
      texels.set([...colour, 1], 4 * (y * WIDTH + x));
    }
  }
  return { width: WIDTH, height: HEIGHT, texels };
}
