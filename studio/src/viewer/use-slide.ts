// Opens the slide and the prediction of the address, and keeps their layers. In layout effects, which do not wait for a
// frame to be drawn first.
import { useLayoutEffect, useState } from 'react';
import { messageOf } from '../api.ts';
import { measuredLayer, predictionLayers, slideLayer, type ViewLayer } from './layers.ts';
import { type OpenSlide, openSlide } from './open-slide.ts';
import { type Roles, rolesOf } from './roles.ts';

const um = (size: number | null): string => (size === null ? '' : ` of ${size} µm`);

export interface SlideState {
  readonly slide: OpenSlide | undefined;
  readonly layers: readonly ViewLayer[];
  readonly error: string | undefined;
  readonly setLayer: (layer: ViewLayer) => void;
}

/** @param roles keeps its identity until it changes */
export function useSlide(path: string | null, prediction: string | null, roles: Roles): SlideState {
  const [slide, setSlide] = useState<OpenSlide>();
  const [layers, setLayers] = useState<readonly ViewLayer[]>([]);
  const [error, setError] = useState<string>();

  useLayoutEffect(() => {
    let isCurrent = true;
    setSlide(undefined);
    setError(undefined);
    if (path === null) return;
    const fail = (cause: unknown): void => {
      if (isCurrent) setError(messageOf(cause));
    };
    openSlide(path)
      .then((opened) => {
        if (!isCurrent) return;
        setSlide(opened);
        opened.levelsOf.catch(fail);
      })
      .catch(fail);
    return () => {
      isCurrent = false;
    };
  }, [path]);

  useLayoutEffect(() => {
    let isCurrent = true;
    if (slide === undefined) return setLayers([]);
    const show = (all: readonly ViewLayer[]): void => {
      if (isCurrent) setLayers(all);
    };
    const build = async (): Promise<void> => {
      const base = await slideLayer(slide, rolesOf(slide, roles));
      const measured = measuredLayer(base);
      const own = measured === undefined ? [base] : [base, measured];
      show(own);
      if (prediction === null) return;
      const predicted = await openSlide(prediction);
      if (predicted.width !== slide.width || predicted.height !== slide.height) {
        throw new Error(
          `The prediction has ${predicted.width} x ${predicted.height} px${um(predicted.pixelSizeUm)}, the slide ${slide.width} x ${slide.height} px${um(slide.pixelSizeUm)}, and the viewer cannot lay one over the other. Choose the prediction of this slide; one that was made at another pixel size is compared by Analyze and Evaluate.`,
        );
      }
      show([...own, ...(await predictionLayers(predicted, measured))]);
    };
    setError(undefined);
    build().catch((cause) => isCurrent && setError(messageOf(cause)));
    return () => {
      isCurrent = false;
    };
  }, [slide, prediction, roles]);

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
  return { slide, layers, error, setLayer };
}
