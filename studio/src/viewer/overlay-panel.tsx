// Outlines over the picture: vessels of a region, and any GeoJSON, such as the vessels and hot spots of `analyze`.
import type { ReactNode } from 'react';
import { baseName } from '../format.ts';
import { PathField } from '../forms/path-field.tsx';
import { Icon } from '../parts/icon.tsx';
import type { Overlay } from './deck-layers.ts';

interface Props {
  readonly overlays: readonly Overlay[];
  readonly onToggle: (id: string) => void;
  readonly onAdd: (path: string) => void;
  readonly error: string | undefined;
}

export function OverlayPanel({ overlays, onToggle, onAdd, error }: Props): ReactNode {
  return (
    <section className="panel-section" aria-label="Overlays">
      <h2>Overlays</h2>
      {overlays.map(({ id, color, isVisible, paths }) => (
        <div key={id} className="overlay-row">
          <span className="swatch" style={{ background: `rgb(${color.join(',')})` }} />
          <span className="layer-name" title={id}>
            {baseName(id)}
          </span>
          <span className="hint">{paths.length}</span>
          <button
            type="button"
            className="icon-button"
            aria-pressed={isVisible}
            aria-label={`${baseName(id)}: show`}
            onClick={() => onToggle(id)}
          >
            <Icon name={isVisible ? 'eye' : 'eye-off'} />
          </button>
        </div>
      ))}
      <PathField
        id="overlay"
        label="Add outlines (.geojson)"
        value=""
        kinds={['regions']}
        isCompact
        onChange={(path) => path !== '' && onAdd(path)}
      />
      {error !== undefined && <p className="error-text">{error}</p>}
    </section>
  );
}
