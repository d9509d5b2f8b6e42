// The images of one TIFF file: their directories, shapes and smaller copies.
import { FormatError } from '../../core/errors.ts';
import type { FileBytes } from '../file-bytes.ts';
import type { ValueScale } from '../value-scale.ts';
import { type Directory, readDirectory, type TiffHeader } from './directory.ts';
import { type ImageShape, readShape } from './image-shape.ts';
import { tag } from './tags.ts';

/** Halving 2^26 pixels gives 26 levels. */
const maxLevels = 32;

/** Where one image lies. It holds one channel, or all samples of a colour image. */
export interface TiffPage {
  readonly directory: Directory;
  /** Where the pixels begin, for an image without a directory of its own (ImageJ's large stacks). */
  readonly firstByte?: number;
}

/** Which images make up the slide, before any pixel is read. */
export interface TiffPlan {
  readonly format: string;
  /** [level][page], largest level first. */
  readonly levels: readonly (readonly TiffPage[])[];
  /** One a page; undefined where the file gives none. */
  readonly names: readonly (string | undefined)[];
  readonly colors?: readonly (number | undefined)[];
  /** Roles that the writer recorded, by channel name. */
  readonly roles?: ReadonlyMap<string, string>;
  readonly valueScale?: ValueScale;
  readonly annotations?: ReadonlyMap<string, string>;
  readonly pixelWidthUm: number | undefined;
  readonly pixelHeightUm: number | undefined;
}

export class TiffImages {
  readonly file: FileBytes;
  readonly header: TiffHeader;
  readonly #shapes = new Map<Directory, ImageShape>();

  constructor(file: FileBytes, header: TiffHeader) {
    this.file = file;
    this.header = header;
  }

  get path(): string {
    return this.file.path;
  }

  async shapeOf(directory: Directory): Promise<ImageShape> {
    let shape = this.#shapes.get(directory);
    if (shape === undefined) {
      shape = await readShape(this.file, directory);
      this.#shapes.set(directory, shape);
    }
    return shape;
  }

  /** The images a directory refers to as smaller copies of its own, in the order of the file. */
  async subImages(directory: Directory): Promise<Directory[]> {
    const count = directory.count(tag.subIfds);
    if (count > maxLevels) {
      throw new FormatError(this.path, `${count} levels in one pyramid; the file is damaged.`);
    }
    const found: Directory[] = [];
    for (const offset of await directory.numbers(tag.subIfds)) {
      found.push((await readDirectory(this.file, this.header, offset)).directory);
    }
    return found;
  }
}
