// Colour scales for pictures: perceptually even ones for intensities, a diverging one for errors.

export type ColormapName = 'inferno' | 'viridis' | 'difference';

// Inferno and viridis: 17 samples of the CC0 tables of van der Walt and Smith (2015). Difference: blue, white, red.
const stops: Record<ColormapName, string> = {
  inferno:
    '000004 0b0724 210c4a 3d0965 57106e 71196e 8a226a a32c61 bc3754 d24644 e45a31 f1731d f98e09 fcac11 f9cb35 f2ea69 fcffa4',
  viridis:
    '440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725',
  difference: '08306b 1c5a9e 4088bf 7ab2d8 b9d6eb f7f7f7 f9c9b4 f0937a d8574a b42330 67000d',
};

/** 256 colours as RGB bytes, 768 numbers, interpolated between the stops. */
export function colormap(name: ColormapName): Uint8Array {
  const colors = stops[name]
    .split(' ')
    .map((hex) => [0, 2, 4].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)));
  const table = new Uint8Array(256 * 3);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (colors.length - 1);
    const first = Math.min(colors.length - 2, Math.floor(at));
    for (let c = 0; c < 3; c++) {
      const a = colors[first][c];
      table[3 * i + c] = Math.round(a + (at - first) * (colors[first + 1][c] - a));
    }
  }
  return table;
}

/** CSS colour of a value between low and high; values outside take the end colours. */
export function cssColor(table: Uint8Array, value: number, low: number, high: number): string {
  const i = Math.max(0, Math.min(255, Math.round((255 * (value - low)) / (high - low))));
  return `rgb(${table[3 * i]},${table[3 * i + 1]},${table[3 * i + 2]})`;
}
