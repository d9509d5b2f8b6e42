// What a form field is, read from the JSON Schema that the server makes from the command's contract.
import type { EntryKind, StudioCommandForm } from '../../../src/contract/studio.ts';

export interface FieldSchema {
  readonly type?: 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object';
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly minItems?: number;
  readonly items?: FieldSchema;
  readonly propertyNames?: FieldSchema;
  readonly kind?: string;
  readonly syntax?: string;
  /** May stand in place of a list of paths. */
  readonly word?: string;
  /** Placeholder of the command line. */
  readonly value?: string;
}

export interface FormField {
  readonly key: string;
  readonly schema: FieldSchema;
  readonly isRequired: boolean;
}

/** In the order of the contract. */
export function fieldsOf(form: StudioCommandForm): FormField[] {
  const schema = form.schema as { properties?: Record<string, FieldSchema>; required?: string[] };
  return Object.entries(schema.properties ?? {}).map(([key, field]) => ({
    key,
    schema: field,
    isRequired: schema.required?.includes(key) === true,
  }));
}

/** Not asked for in a form: resuming is a button of the run. */
export const hiddenKeys: readonly string[] = ['resume'];

/** Fields shown at once; the others are under 'More options'. The required ones always are. */
export const firstKeys: Readonly<Record<string, readonly string[]>> = {
  simulate: ['slides', 'size', 'preset', 'seed'],
  prepare: ['roles', 'test', 'splitBy', 'groups', 'patch', 'pixelSizeUm'],
  train: ['model', 'epochs', 'timeBudgetSeconds', 'from'],
  predict: ['interval', 'roles', 'pixelSizeUm'],
  evaluate: ['model', 'dataset', 'prediction', 'slide', 'split', 'out'],
  analyze: ['prediction', 'roles', 'pixelSizeUm'],
};

/** What a path must be, by the name of its option. */
export function kindsOf(command: string, key: string): readonly EntryKind[] {
  switch (key) {
    case 'dataset':
      return ['dataset'];
    case 'model':
    case 'from':
      return ['model'];
    default:
      return command === 'train' ? ['run', 'file'] : ['slide'];
  }
}

/** A numeric step that keeps to the schema. */
export function stepOf({ type, multipleOf }: FieldSchema): number | 'any' {
  return multipleOf ?? (type === 'integer' ? 1 : 'any');
}
