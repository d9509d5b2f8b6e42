// The commands there are, each with its contract, its use case and its summary.
import { analyzeCommand } from '../contract/analyze.ts';
import { benchmarkCommand } from '../contract/benchmark.ts';
import { evaluateCommand } from '../contract/evaluate.ts';
import { inspectCommand } from '../contract/inspect.ts';
import { predictCommand } from '../contract/predict.ts';
import { prepareCommand } from '../contract/prepare.ts';
import { simulateCommand } from '../contract/simulate.ts';
import { studioCommand } from '../contract/studio.ts';
import { trainCommand } from '../contract/train.ts';
import type { CommandEntry } from './run-command.ts';
import {
  summariseEvaluate,
  summariseInspect,
  summarisePredict,
  summarisePrepare,
  summariseSimulate,
  summariseTrain,
} from './summaries.ts';
import { summariseAnalyze } from './summarise-analyze.ts';
import { summariseBenchmark } from './summarise-benchmark.ts';

export const commands: readonly CommandEntry[] = [
  {
    contract: inspectCommand,
    load: async () => (await import('../experiment/inspect.ts')).inspect,
    summarise: summariseInspect,
  },
  {
    contract: simulateCommand,
    load: async () => (await import('../experiment/simulate.ts')).simulate,
    summarise: summariseSimulate,
  },
  {
    contract: prepareCommand,
    load: async () => (await import('../experiment/prepare.ts')).prepare,
    summarise: summarisePrepare,
  },
  {
    contract: trainCommand,
    load: async () => (await import('../experiment/train.ts')).train,
    summarise: summariseTrain,
  },
  {
    contract: predictCommand,
    load: async () => (await import('../experiment/predict.ts')).predict,
    summarise: summarisePredict,
  },
  {
    contract: evaluateCommand,
    load: async () => (await import('../experiment/evaluate.ts')).evaluate,
    summarise: summariseEvaluate,
  },
  {
    contract: analyzeCommand,
    load: async () => (await import('../experiment/analyze.ts')).analyze,
    summarise: summariseAnalyze,
  },
  {
    contract: benchmarkCommand,
    load: async () => (await import('../experiment/benchmark.ts')).benchmark,
    summarise: summariseBenchmark,
  },
  {
    contract: studioCommand,
    load: async () => (await import('./studio.ts')).studio,
    summarise: ({ folder }: { folder: string }) => `The studio of ${folder} is stopped.`,
  },
];
