// The layers and channels of the picture: which are shown where, in which colour and contrast.
import type { ReactNode } from 'react';
import { Icon } from '../parts/icon.tsx';
import { cssGradient } from './colormaps.ts';
import { type ChannelState, type LayerKind, mostChannels, type ViewLayer } from './layers.ts';
import { RangeSlider } from './range-slider.tsx';
import type { PaneId, PaneMode } from './view-geometry.ts';

export type Shown = Readonly<Record<PaneId, readonly LayerKind[]>>;

interface Props {
  readonly layers: readonly ViewLayer[];
  readonly shown: Shown;
  readonly mode: PaneMode;
  readonly onShow: (pane: PaneId, kind: LayerKind, isShown: boolean) => void;
  readonly onChange: (layer: ViewLayer) => void;
}

export function LayerPanel({ layers, shown, mode, onShow, onChange }: Props): ReactNode {
  const panes: readonly PaneId[] = mode === 'single' ? ['left'] : ['left', 'right'];
  return (
    <section className="panel-section" aria-label="Layers">
      <h2>
        Layers
        {panes.length > 1 && <span className="hint">left · right</span>}
      </h2>
      {layers.map((layer) => {
        const isShown = panes.some((pane) => shown[pane].includes(layer.kind));
        return (
          <div key={layer.kind} className={`layer${isShown ? ' is-shown' : ''}`}>
            <div className="layer-head">
              <span className="layer-name" title={layer.label}>
                {layer.label}
              </span>
              {panes.map((pane) => (
                <button
                  key={pane}
                  type="button"
                  className="icon-button"
                  aria-pressed={shown[pane].includes(layer.kind)}
                  aria-label={`${layer.label}${panes.length > 1 ? `, ${pane}` : ''}: show`}
                  onClick={() => onShow(pane, layer.kind, !shown[pane].includes(layer.kind))}
                >
                  <Icon name={shown[pane].includes(layer.kind) ? 'eye' : 'eye-off'} />
                </button>
              ))}
            </div>
            {isShown && (
              <LayerBody
                layer={layer}
                isOver={panes.some((pane) => shown[pane].length > 1 && shown[pane].includes(layer.kind))}
                onChange={onChange}
              />
            )}
          </div>
        );
      })}
    </section>
  );
}

const fullHint = `At most ${mostChannels} channels are drawn together. Hide one first.`;

interface BodyProps {
  readonly layer: ViewLayer;
  /** Drawn together with another layer, so that its opacity matters. */
  readonly isOver: boolean;
  readonly onChange: (layer: ViewLayer) => void;
}

function LayerBody({ layer, isOver, onChange }: BodyProps): ReactNode {
  const change = (i: number, part: Partial<ChannelState>): void => {
    const channels = layer.channels.map((channel, k) => (k === i ? { ...channel, ...part } : channel));
    onChange({ ...layer, channels });
  };
  const isFull = layer.channels.filter(({ isVisible }) => isVisible).length >= mostChannels;
  return (
    <div className="layer-body">
      {isOver && layer.kind !== 'slide' && (
        <label className="opacity">
          Opacity
          <input
            type="range"
            min={0}
            max={1}
            step={0.05}
            value={layer.opacity}
            onChange={({ target }) => onChange({ ...layer, opacity: Number(target.value) })}
          />
        </label>
      )}
      {layer.channels.map((channel, i) => (
        <div key={channel.name} className="channel">
          {layer.colormap === undefined && (
            <div className="channel-head">
              <label title={isFull && !channel.isVisible ? fullHint : undefined}>
                <input
                  type="checkbox"
                  checked={channel.isVisible}
                  disabled={isFull && !channel.isVisible}
                  onChange={({ target }) => change(i, { isVisible: target.checked })}
                />
                <span className="channel-name">{channel.name}</span>
              </label>
              {channel.role !== undefined && !channel.name.includes(channel.role) && (
                <span className="chip">{channel.role}</span>
              )}
              <input
                type="color"
                value={hexOf(channel.color)}
                aria-label={`${channel.name}: colour`}
                onChange={({ target }) => change(i, { color: rgbOf(target.value) })}
              />
            </div>
          )}
          {channel.isVisible && (
            <RangeSlider
              label={channel.name}
              domain={channel.domain}
              limits={channel.limits}
              histogram={channel.histogram}
              background={
                layer.colormap === undefined
                  ? `linear-gradient(to right, #000, ${hexOf(channel.color)})`
                  : cssGradient(layer.colormap)
              }
              onChange={(limits) => change(i, { limits })}
            />
          )}
        </div>
      ))}
    </div>
  );
}

function hexOf(color: readonly number[]): string {
  return `#${color.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

function rgbOf(hex: string): [number, number, number] {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as [number, number, number];
}
