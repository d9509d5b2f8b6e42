// Opens the slide and the prediction of the address, and keeps their layers.
import { useEffect, useState } from 'react';
import { messageOf } from '../api.ts';
import { measuredLayer, predictionLayers, slideLayer, type ViewLayer } from './layers.ts';
import { loadSlide, type OpenSlide } from './load-slide.ts';

export interface SlideState {
  readonly slide: OpenSlide | undefined;
  readonly layers: readonly ViewLayer[];
  readonly error: string | undefined;
  readonly isLoading: boolean;
  readonly setLayer: (layer: ViewLayer) => void;
}

export function useSlide(path: string | null, prediction: string | null): SlideState {
  const [slide, setSlide] = useState<OpenSlide>();
  const [layers, setLayers] = useState<readonly ViewLayer[]>([]);
  const [error, setError] = useState<string>();
  const [isLoading, setLoading] = useState(false);

  useEffect(() => {
    let isCurrent = true;
    const open = async (): Promise<void> => {
      setSlide(undefined);
      setLayers([]);
      setError(undefined);
      if (path === null) return;
      setLoading(true);
      const opened = await loadSlide(path);
      if (!isCurrent) return;
      // The graphics start up while the first pixels are read.
      setSlide(opened);
      const base = await slideLayer(opened);
      const measured = measuredLayer(base);
      if (!isCurrent) return;
      setLayers(measured === undefined ? [base] : [base, measured]);
      if (prediction === null) return;
      const predicted = await loadSlide(prediction);
      if (predicted.width !== opened.width || predicted.height !== opened.height) {
        throw new Error(
          `The prediction has ${predicted.width} x ${predicted.height} px, the slide ${opened.width} x ${opened.height} px. Choose the prediction of this slide.`,
        );
      }
      const further = await predictionLayers(predicted, measured);
      if (isCurrent) setLayers([base, ...(measured === undefined ? [] : [measured]), ...further]);
    };
    open()
      .catch((cause) => isCurrent && setError(messageOf(cause)))
      .finally(() => isCurrent && setLoading(false));
    return () => {
      isCurrent = false;
    };
  }, [path, prediction]);

  const setLayer = (changed: ViewLayer): void => {
    // Measured and predicted keep one contrast, or their colours would not compare.
    const pair = ['measured', 'prediction'];
    setLayers((held) =>
      held.map((layer) => {
        if (layer.kind === changed.kind) return changed;
        if (!pair.includes(layer.kind) || !pair.includes(changed.kind)) return layer;
        const { limits } = changed.channels[0];
        return { ...layer, channels: layer.channels.map((channel) => ({ ...channel, limits })) };
      }),
    );
  };
  return { slide, layers, error, isLoading, setLayer };
}
