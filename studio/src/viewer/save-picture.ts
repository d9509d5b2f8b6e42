// The view as a PNG: what the canvas shows, with regions and scale bar on it.

/** @returns a PNG at the screen's own resolution */
export async function pictureOf(canvas: HTMLCanvasElement, overlay: SVGSVGElement | null): Promise<Blob> {
  const out = document.createElement('canvas');
  out.width = canvas.width;
  out.height = canvas.height;
  const context = out.getContext('2d') as CanvasRenderingContext2D;
  context.fillStyle = '#000';
  context.fillRect(0, 0, out.width, out.height);
  context.drawImage(canvas, 0, 0);
  if (overlay !== null) {
    const image = await imageOf(overlay);
    context.drawImage(image, 0, 0, out.width, out.height);
  }
  return new Promise((resolve, reject) => {
    out.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error('The picture could not be made.'))),
      'image/png',
    );
  });
}

/** The overlay alone, its styles written into it, since a picture has no style sheet. */
async function imageOf(overlay: SVGSVGElement): Promise<HTMLImageElement> {
  const copy = overlay.cloneNode(true) as SVGSVGElement;
  const from = overlay.querySelectorAll('path, rect, text');
  const to = copy.querySelectorAll('path, rect, text');
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    for (const name of [
      'fill',
      'stroke',
      'stroke-width',
      'font-size',
      'font-weight',
      'font-family',
      'paint-order',
    ]) {
      (to[i] as SVGElement).style.setProperty(name, style.getPropertyValue(name));
    }
  });
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  const url = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

export function download(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
