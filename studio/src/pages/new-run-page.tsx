// Start a command from a form that is made from its contract.
import { type FormEvent, type ReactNode, useEffect, useMemo, useState } from 'react';
import type { StudioSession } from '../../../src/contract/studio.ts';
import { api, messageOf } from '../api.ts';
import { capitalized, stemOf } from '../format.ts';
import { Field } from '../forms/field.tsx';
import { type FormField, fieldsOf, firstKeys, hiddenKeys } from '../forms/schema.ts';
import { nextNumber, putRun, useRuns } from '../live.ts';
import { ErrorBox } from '../parts/error-box.tsx';
import { Icon } from '../parts/icon.tsx';
import { go, type Route } from '../route.ts';
import { parsePairs } from '../viewer/roles.ts';

type Values = Readonly<Record<string, unknown>>;

const verbs: Readonly<Record<string, string>> = {
  simulate: 'Simulate',
  prepare: 'Prepare',
  train: 'Train',
  predict: 'Predict',
  evaluate: 'Evaluate',
  analyze: 'Analyze',
};

export function NewRunPage({
  session,
  route,
}: {
  readonly session: StudioSession;
  readonly route: Route;
}): ReactNode {
  const form = session.commands.find(({ name }) => name === route.rest);
  const runs = useRuns() ?? [];
  const fields = useMemo(
    () => (form === undefined ? [] : fieldsOf(form).filter(({ key }) => !hiddenKeys.includes(key))),
    [form],
  );
  const [values, setValues] = useState<Values>({});
  const [error, setError] = useState<string>();
  const [isSending, setSending] = useState(false);
  const query = route.query.toString();

  // What the address already says, e.g. the slides to prepare; the rest starts empty, which means the defaults.
  useEffect(() => {
    const given: Record<string, unknown> = {};
    const asked = new URLSearchParams(query);
    for (const { key, schema } of fields) {
      const all = asked.getAll(key);
      if (all.length === 0) continue;
      if (schema.type === 'array') given[key] = all;
      else if (schema.type === 'object') given[key] = parsePairs(all, schema.propertyNames?.kind === 'path');
      else if (schema.type === 'boolean') given[key] = all[0] === 'true';
      else if (schema.type === 'number' || schema.type === 'integer') given[key] = Number(all[0]);
      else given[key] = all[0];
    }
    setValues(given);
    setError(undefined);
  }, [fields, query]);

  if (form === undefined) return <ErrorBox message={`There is no command ${route.rest}.`} />;
  const suggested = suggestOut(form.name, values, nextNumber(runs));
  const first = firstKeys[form.name] ?? [];
  const isFirst = (key: string, isRequired: boolean): boolean => isRequired || first.includes(key);
  const named = ['slides', 'slide', 'test', 'calibration', 'validation'].flatMap((key) => {
    const value = values[key];
    return Array.isArray(value) ? (value as string[]) : typeof value === 'string' ? [value] : [];
  });
  const words = fields.map(({ schema }) => schema.word);
  const slides = [...new Set(named)].filter((slide) => !words.includes(slide));
  const put = (key: string, value: unknown): void =>
    setValues((held) => {
      const { [key]: _, ...others } = held;
      return value === undefined ? others : { ...others, [key]: value };
    });
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setSending(true);
    setError(undefined);
    try {
      const out = fields.some(({ key, isRequired }) => key === 'out' && isRequired) ? { out: suggested } : {};
      const run = await api.startRun(form.name, { ...out, ...ofSlides(values, fields, slides) });
      putRun(run);
      go(`runs/${run.id}`);
    } catch (cause) {
      setError(messageOf(cause));
    } finally {
      setSending(false);
    }
  };
  const show = (isMain: boolean): ReactNode =>
    fields
      .filter(({ key, isRequired }) => isFirst(key, isRequired) === isMain)
      .map((field) => (
        <Field
          key={field.key}
          command={form.name}
          field={field}
          value={values[field.key] ?? (field.key === 'out' && field.isRequired ? suggested : undefined)}
          slides={slides}
          // An emptied name stays empty: the suggestion would come back into what is typed.
          onChange={(value) =>
            put(field.key, field.key === 'out' && field.isRequired ? (value ?? '') : value)
          }
        />
      ));
  const hasMore = fields.some(({ key, isRequired }) => !isFirst(key, isRequired));
  return (
    <div className="page narrow">
      <h1>{verbs[form.name] ?? form.name}</h1>
      <p className="lead">{capitalized(form.summary)}.</p>
      <form onSubmit={(event) => void submit(event)} noValidate={false}>
        {show(true)}
        {hasMore && (
          <details className="more">
            <summary>More options</summary>
            {show(false)}
          </details>
        )}
        {error !== undefined && <ErrorBox message={error} />}
        <div className="form-actions">
          <button type="submit" className="button primary" disabled={isSending}>
            <Icon name="play" /> {verbs[form.name] ?? 'Start'}
          </button>
        </div>
      </form>
    </div>
  );
}

/** Without what was said of slides that are no longer chosen. */
function ofSlides(values: Values, fields: readonly FormField[], slides: readonly string[]): Values {
  const kept = { ...values };
  for (const { key, schema } of fields) {
    if (schema.propertyNames?.kind !== 'path' || kept[key] === undefined) continue;
    const pairs = Object.entries(kept[key] as object).filter(([slide]) => slides.includes(slide));
    kept[key] = pairs.length === 0 ? undefined : Object.fromEntries(pairs);
  }
  return kept;
}

/** A free name for what is written. */
function suggestOut(command: string, values: Values, number: number): string {
  const first = (value: unknown): string | undefined =>
    typeof value === 'string' ? stemOf(value) : Array.isArray(value) ? stemOf(String(value[0])) : undefined;
  switch (command) {
    case 'simulate':
      return `simulated-${number}`;
    case 'prepare':
      return `datasets/dataset-${number}`;
    case 'train':
      return `runs/${typeof values.model === 'string' ? values.model : 'hrpn'}-${number}`;
    case 'predict':
      return `predictions/${first(values.slide) ?? 'slide'}-${number}.ome.tif`;
    default:
      return `${command === 'analyze' ? 'analyses' : command}/${first(values.slide) ?? first(values.dataset) ?? command}-${number}`;
  }
}
