// The first picture of a slide goes before all else: what takes the processor for long waits until it can be seen.
// Where the graphics are computed in software, every frame before it would delay it by a tenth of a second.

/** The page does not wait longer than this for a slide that is slow to come, in milliseconds. */
const patienceMs = 500;

let tell = (): void => {};
export const firstPicture = new Promise<void>((resolve) => {
  tell = resolve;
});

/** It can be seen, or is not to be waited for. */
export function pictureIsThere(): void {
  tell();
}

/** Nothing of the page is drawn before its picture. */
export function holdBack(page: HTMLElement): void {
  page.style.visibility = 'hidden';
  setTimeout(pictureIsThere, patienceMs);
  void firstPicture.then(() => {
    page.style.visibility = '';
  });
}
