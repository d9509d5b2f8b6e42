/** How each model is trained unless the user says otherwise. */
import { muon } from '../engine/muon.ts';
import { adamW, type Optimiser, rmsProp } from '../engine/optimisers.ts';
import type { LossName } from './losses.ts';

export const scheduleNames = ['cosine', 'constant'] as const;

export interface Recipe {
  readonly optimiser: Optimiser;
  /** Largest learning rate of the schedule. */
  readonly learningRate: number;
  /** 'cosine': linear warm-up, then half a cosine down to 0 at the last step. 'constant': as it says. */
  readonly schedule: (typeof scheduleNames)[number];
  readonly warmUpSteps: number;
  /** Patches a step. */
  readonly batch: number;
  readonly epochs: number;
  /** Gradients longer than this are shortened to it. */
  readonly clipNorm?: number;
  /** Decay a step of the moving average of the parameters that is validated and kept; 0 keeps the parameters. */
  readonly averageDecay: number;
  /** As `parseAugmentation` reads it. */
  readonly augment: string;
  /** Draws half of the patches evenly over the range of mean target intensity. */
  readonly balance: boolean;
  /** Of the pixels; a network with an adversary has its own. */
  readonly loss: LossName;
  /** Moves training windows by up to half a patch. */
  readonly jitter: boolean;
}

const standard: Recipe = {
  optimiser: muon({ weightDecay: 0.01 }),
  learningRate: 4e-3,
  schedule: 'cosine',
  warmUpSteps: 50,
  batch: 2,
  epochs: 20,
  clipNorm: 1,
  averageDecay: 0.99,
  augment: 'flips,focus=0.5',
  balance: false,
  loss: 'mse',
  jitter: true,
};

/** As published, but for the batch: 32 or 20 patches of 512 px take more memory than most machines have. */
const recipes: Readonly<Record<string, Recipe>> = {
  'hrpn-published': {
    optimiser: rmsProp({ momentum: 0.9, weightDecay: 1e-8 }),
    learningRate: 1e-5,
    schedule: 'constant',
    warmUpSteps: 0,
    batch: 4,
    epochs: 20,
    averageDecay: 0,
    augment: 'none',
    balance: false,
    loss: 'mse',
    jitter: false,
  },
  ganda: {
    optimiser: adamW({ beta1: 0.5 }),
    learningRate: 2e-4,
    schedule: 'constant',
    warmUpSteps: 0,
    batch: 4,
    epochs: 50,
    averageDecay: 0,
    augment: 'none',
    balance: false,
    loss: 'mse',
    jitter: false,
  },
};

/** What stays a model's own when it is trained by the standard recipe: a GAN needs an optimiser with little momentum. */
const kept: Readonly<Record<string, Partial<Recipe>>> = {
  ganda: { optimiser: adamW({ beta1: 0.5 }), learningRate: 2e-4 },
};

export const recipeNames = ['own', 'standard'] as const;
export type RecipeName = (typeof recipeNames)[number];

/**
 * 'own': the published recipe of a published model, the standard one of any other. 'standard': the same for all,
 * so that models are compared and not recipes.
 */
export function recipeOf(model: string, name: RecipeName = 'own'): Recipe {
  return name === 'own' ? (recipes[model] ?? standard) : { ...standard, ...kept[model] };
}

/** Learning rate of a step, counted from 0. */
export function learningRateAt(
  { schedule, warmUpSteps }: Pick<Recipe, 'schedule' | 'warmUpSteps'>,
  largest: number,
  step: number,
  totalSteps: number,
): number {
  if (schedule === 'constant') return largest;
  // A short schedule warms up for at most a tenth of it.
  const warmUp = Math.min(warmUpSteps, Math.ceil(totalSteps / 10));
  if (step < warmUp) return (largest * (step + 1)) / warmUp;
  return (largest * (1 + Math.cos((Math.PI * (step - warmUp)) / Math.max(1, totalSteps - warmUp)))) / 2;
}
