/**
 * The public interface of the package. Every command of the command line but `studio` is one function here, with
 * its options as `src/contract/COMMAND.ts` names them and the same result as its `--json`:
 *
 * ```ts
 * import { prepare, train, predict } from 'hrpn';
 *
 * await prepare({ slides: ['a.ome.tif', 'b.ome.tif', 'c.ome.tif'], test: ['c.ome.tif'], out: 'dataset' });
 * const { model } = await train({ dataset: 'dataset', out: 'run' }, { onProgress: console.log });
 * await predict({ model, slide: 'd.ome.tif', out: 'predicted.ome.tif' });
 * ```
 *
 * The second argument takes `onProgress` and an AbortSignal. Nothing is printed. Every error that is raised on
 * purpose is an `HrpnError`, whose `fault` is 'input' for wrong use or bad input and 'run' for a failure while running.
 */

export type { AnalyzeOptions, AnalyzeResult } from './contract/analyze.ts';
export type { BenchmarkOptions, BenchmarkResult } from './contract/benchmark.ts';
export type { EvaluateOptions, EvaluateResult } from './contract/evaluate.ts';
export type { InspectOptions, InspectResult } from './contract/inspect.ts';
export type { PredictOptions, PredictResult } from './contract/predict.ts';
export type { PrepareOptions, PrepareResult } from './contract/prepare.ts';
export type { SimulateOptions, SimulateResult } from './contract/simulate.ts';
export type { TrainOptions, TrainResult } from './contract/train.ts';
// Errors and progress
export {
  CancelledError,
  DataError,
  DivergenceError,
  EngineError,
  FileAccessError,
  FormatError,
  HrpnError,
  ModelError,
  UsageError,
  WriteError,
} from './core/errors.ts';
export type { ChannelInfo, PixelSource, PyramidLevel, ReadOptions, SampleType } from './core/pixel-source.ts';
export type { Progress, WorkOptions } from './core/progress.ts';
export { channelOf, createRaster, type Raster, type Region } from './core/raster.ts';
export { version } from './core/version.ts';
// Datasets: batches of patches, for another network or framework
export { type Dataset, openDataset } from './dataset/open-dataset.ts';
export {
  type Augmentation,
  type Batch,
  createPatchStream,
  type PatchStream,
  type PatchStreamOptions,
} from './dataset/patch-stream.ts';
// Commands
export { analyze } from './experiment/analyze.ts';
export { benchmark } from './experiment/benchmark.ts';
export { evaluate } from './experiment/evaluate.ts';
export { inspect } from './experiment/inspect.ts';
export { predict } from './experiment/predict.ts';
export { prepare } from './experiment/prepare.ts';
export { simulate } from './experiment/simulate.ts';
export { train } from './experiment/train.ts';
// Models
export { type ModelFile, type ModelManifest, readModelFile } from './model/model-file.ts';
// Slides: pixels in stored units from any format that is read, and out to OME-TIFF or OME-Zarr
export { createSlide, type SlideDescription, type SlideSink } from './slide/create-slide.ts';
export { type OpenSlideOptions, openSlide } from './slide/open-slide.ts';
