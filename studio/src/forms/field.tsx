// One option of a command as a form field; what kind follows from its schema.
import { type ReactNode, useState } from 'react';
import { fieldLabel, helpText } from '../format.ts';
import { PairsField } from './pairs-field.tsx';
import { PathField, PathListField } from './path-field.tsx';
import { type FormField, kindsOf, stepOf } from './schema.ts';

/** What an empty field shows; its help says what then applies. */
const notSet = 'not set';

interface Props {
  readonly command: string;
  readonly field: FormField;
  readonly value: unknown;
  /** Slides chosen in the same form, whose channels can be given roles. */
  readonly slides: readonly string[];
  readonly onChange: (value: unknown) => void;
}

export function Field({ command, field, value, slides, onChange }: Props): ReactNode {
  const { key, schema, isRequired } = field;
  const id = `field-${key}`;
  const helpId = `${id}-help`;
  const unit = key.endsWith('Um') ? 'µm' : undefined;
  return (
    <div className={`field${schema.type === 'boolean' ? ' is-check' : ''}`}>
      <label htmlFor={id}>
        {fieldLabel(key)}
        {unit !== undefined && <span className="hint"> ({unit})</span>}
        {isRequired && (
          <span className="required" title="required">
            *
          </span>
        )}
      </label>
      <Control {...{ command, field, value, slides, onChange, id, helpId }} />
      <p className="hint" id={helpId}>
        {helpText(schema.description)}
        {schema.default !== undefined && typeof schema.default !== 'object' && schema.type !== 'boolean' && (
          <> Default: {String(schema.default)}.</>
        )}
      </p>
    </div>
  );
}

function Control(props: Props & { readonly id: string; readonly helpId: string }): ReactNode {
  const { command, field, value, slides, onChange, id, helpId } = props;
  const { key, schema, isRequired } = field;
  const described = { id, 'aria-describedby': helpId } as const;
  if (schema.type === 'boolean') {
    return (
      <input
        {...described}
        type="checkbox"
        checked={value === true || (value === undefined && schema.default === true)}
        onChange={({ target }) => onChange(target.checked)}
      />
    );
  }
  if (schema.enum !== undefined) {
    return (
      <select
        {...described}
        value={String(value ?? schema.default ?? '')}
        onChange={({ target }) => onChange(target.value || undefined)}
      >
        {schema.default === undefined && <option value="">{notSet}</option>}
        {schema.enum.map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
    );
  }
  if (schema.syntax === 'duration') return <DurationInput {...described} value={value} onChange={onChange} />;
  if (schema.type === 'number' || schema.type === 'integer') {
    return (
      <input
        {...described}
        type="number"
        required={isRequired}
        min={
          schema.minimum ??
          (schema.exclusiveMinimum !== undefined && schema.type === 'integer'
            ? schema.exclusiveMinimum + 1
            : schema.exclusiveMinimum)
        }
        max={
          schema.maximum !== undefined && schema.maximum < Number.MAX_SAFE_INTEGER
            ? schema.maximum
            : undefined
        }
        step={stepOf(schema)}
        // As a number: React then leaves '0.0' as it is typed, which 0 and 0.05 both begin with.
        value={typeof value === 'number' ? value : ''}
        placeholder={schema.default === undefined ? notSet : String(schema.default)}
        onChange={({ target }) => onChange(target.value === '' ? undefined : Number(target.value))}
      />
    );
  }
  if (schema.type === 'array' && schema.items?.kind === 'path') {
    return (
      <PathListField
        id={id}
        label={fieldLabel(key)}
        values={Array.isArray(value) ? value : []}
        kinds={kindsOf(command, key)}
        word={schema.word}
        describedBy={helpId}
        onChange={(paths) => onChange(paths.length === 0 ? undefined : paths)}
      />
    );
  }
  if (schema.type === 'array') {
    return (
      <ListInput {...described} values={Array.isArray(value) ? value.map(String) : []} onChange={onChange} />
    );
  }
  if (schema.type === 'object') {
    return (
      <PairsField
        {...{ id, helpId, value, slides, onChange }}
        isByPath={schema.propertyNames?.kind === 'path'}
      />
    );
  }
  if (schema.kind === 'path' && key !== 'out') {
    return (
      <PathField
        id={id}
        label={fieldLabel(key)}
        value={typeof value === 'string' ? value : ''}
        kinds={kindsOf(command, key)}
        isRequired={isRequired}
        describedBy={helpId}
        onChange={(path) => onChange(path === '' ? undefined : path)}
      />
    );
  }
  return (
    <input
      {...described}
      required={isRequired}
      value={typeof value === 'string' ? value : ''}
      placeholder={typeof schema.default === 'string' ? schema.default : isRequired ? '' : notSet}
      spellCheck={false}
      onChange={({ target }) => onChange(target.value === '' ? undefined : target.value)}
    />
  );
}

interface ListProps {
  readonly id: string;
  readonly 'aria-describedby': string;
  readonly values: readonly string[];
  readonly onChange: (value: unknown) => void;
}

/** Items with commas between them, which stay as they are typed until the field is left. */
function ListInput({ values, onChange, ...described }: ListProps): ReactNode {
  const [typed, setTyped] = useState<string>();
  return (
    <input
      {...described}
      value={typed ?? values.join(', ')}
      placeholder={notSet}
      onChange={({ target }) => {
        setTyped(target.value);
        const items = target.value
          .split(',')
          .map((item) => item.trim())
          .filter(Boolean);
        onChange(items.length === 0 ? undefined : items);
      }}
      onBlur={() => setTyped(undefined)}
    />
  );
}

interface DurationProps {
  readonly id: string;
  readonly 'aria-describedby': string;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
}

/** Minutes, for the command's seconds. */
function DurationInput({ value, onChange, ...described }: DurationProps): ReactNode {
  return (
    <span className="with-unit">
      <input
        {...described}
        type="number"
        min={0.1}
        step="any"
        placeholder="no limit"
        value={typeof value === 'number' ? value / 60 : ''}
        onChange={({ target }) => onChange(target.value === '' ? undefined : Number(target.value) * 60)}
      />
      minutes
    </span>
  );
}
