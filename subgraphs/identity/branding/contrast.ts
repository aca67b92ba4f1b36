const needed = 4.5;

/** White, or black where white is hard to read: one of both always reaches 4.5 to 1. */
export function textColorOn(color: string): '#fff' | '#000' {
  return contrastWithWhite(color) >= needed ? '#fff' : '#000';
}

/** What is wrong with white text on a colour (WCAG 2.2, 1.4.3), if anything. */
export function contrastWarning(color: string): string | undefined {
  const ratio = contrastWithWhite(color);
  if (ratio >= needed) return undefined;
  return `White text on ${color} has a contrast of ${ratio.toFixed(1)} to 1; ${needed} to 1 is needed to be read well`;
}

function contrastWithWhite(color: string): number {
  return 1.05 / (luminance(color) + 0.05);
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
