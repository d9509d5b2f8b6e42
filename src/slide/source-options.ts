// What may be said when a slide is opened, and the choice of one plane of a stack.
import { DataError, UsageError } from '../core/errors.ts';

export interface OpenSlideOptions {
  /** Edge of a pixel in micrometres; overrules what the file says. */
  readonly pixelSizeUm?: number;
  /** Which plane of a stack, counted from 0. A stack without it is refused. */
  readonly plane?: { readonly z?: number; readonly t?: number };
  /** Budget for decoded blocks; 64 MiB unless given. Less where whoever reads has a cache of its own. */
  readonly cacheBytes?: number;
  readonly signal?: AbortSignal;
}

/**
 * The plane to read along one dimension of a stack.
 * @throws DataError when there are several and none was chosen; UsageError when there is no such plane
 */
export function choosePlane(path: string, axis: 'z' | 't', size: number, wanted: number | undefined): number {
  const one = axis === 'z' ? 'focal plane' : 'time point';
  const what = `${one}${size === 1 ? '' : 's'} (${axis.toUpperCase()})`;
  if (wanted === undefined) {
    if (size === 1) return 0;
    throw new DataError(
      `${path} holds ${size} ${what}, and one is read. Say which with --${axis} 0 to --${axis} ${size - 1}.`,
    );
  }
  if (Number.isInteger(wanted) && wanted >= 0 && wanted < size) return wanted;
  throw new UsageError(`--${axis} ${wanted}: ${path} holds ${size} ${what}, counted from 0.`);
}

/**
 * For formats without focal planes and time points: one plane there is, number 0.
 * @throws UsageError when another one was chosen
 */
export function requireOnlyPlane(path: string, plane: OpenSlideOptions['plane']): void {
  choosePlane(path, 'z', 1, plane?.z);
  choosePlane(path, 't', 1, plane?.t);
}
