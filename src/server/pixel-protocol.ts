// What the server and its pixel process say to one another.
import type { RegionRequest, RegionResult, SlideView } from '../contract/studio.ts';

export interface TileRequest {
  readonly slide: string;
  /** Another one when the slide has been written anew. */
  readonly stamp: string;
  readonly level: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly channel: number;
}

export type PixelJob =
  | { readonly kind: 'view'; readonly slide: string }
  | { readonly kind: 'tile'; readonly tile: TileRequest }
  | { readonly kind: 'region'; readonly region: RegionRequest };

export type PixelAnswer = SlideView | Float32Array | RegionResult;

export interface PixelRequest {
  readonly id: number;
  readonly job: PixelJob;
}

export type PixelReply =
  | { readonly id: number; readonly answer: PixelAnswer }
  | { readonly id: number; readonly error: string; readonly fault: 'input' | 'run' };
