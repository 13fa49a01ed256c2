/** Grey pixels 0–255, row by row. */
export interface GreyImage {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

const ramp = " .:-=+*#%@";

const pixel = (image: GreyImage, x: number, y: number): number => image.pixels[y * image.width + x] ?? 0;

/** Two rows of pixels a line: half blocks in greys of the 256-colour palette. */
const inColor = (image: GreyImage): string[] =>
  Array.from({ length: Math.ceil(image.height / 2) }, (_, line) => {
    let text = "";
    for (let x = 0; x < image.width; x++) {
      const [upper, lower] = [pixel(image, x, line * 2), pixel(image, x, line * 2 + 1)].map(
        (v) => 232 + Math.round((v * 23) / 255),
      );
      text += `\u001b[38;5;${upper};48;5;${lower}m▀`;
    }
    return `${text}\u001b[0m`;
  });

const inLetters = (image: GreyImage): string[] =>
  Array.from({ length: Math.ceil(image.height / 2) }, (_, line) => {
    let text = "";
    for (let x = 0; x < image.width; x++) {
      const mean = (pixel(image, x, line * 2) + pixel(image, x, line * 2 + 1)) / 2;
      text += ramp.charAt(Math.round((mean * (ramp.length - 1)) / 255));
    }
    return text;
  });

/** Pictures side by side with their captions, as text. */
export const drawImages = (
  images: readonly { readonly image: GreyImage; readonly caption: string }[],
  options: { readonly colors: boolean; readonly columns: number },
): string => {
  const width = images[0]?.image.width ?? 1;
  const perRow = Math.max(1, Math.floor((options.columns + 2) / (width + 2)));
  let text = "";
  for (let first = 0; first < images.length; first += perRow) {
    const row = images.slice(first, first + perRow);
    const drawn = row.map(({ image }) => (options.colors ? inColor(image) : inLetters(image)));
    const height = Math.max(...drawn.map((lines) => lines.length));
    for (let line = 0; line < height; line++)
      text += `${drawn
        .map((lines) => lines[line] ?? "")
        .join("  ")
        .trimEnd()}\n`;
    text += `${row
      .map(({ caption }) => caption.slice(0, width).padEnd(width))
      .join("  ")
      .trimEnd()}\n`;
  }
  return text;
};
