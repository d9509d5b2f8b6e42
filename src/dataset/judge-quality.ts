// What a person should look at before training on the slides: one sentence each, with the figure and what to do.
import { poolShading } from './field-shading.ts';
import type { ChannelQuality } from './quality.ts';

/** A slide's channels in the order of the dataset's roles: the inputs, then the target. */
export interface JudgedSlide {
  readonly name: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly quality: readonly ChannelQuality[];
}

export interface QualityWarning {
  /** undefined: about the slides together. */
  readonly slide?: string;
  readonly message: string;
}

/** Share of the tissue at the largest value beyond which the brightest structures have lost their order. */
const maxAtMax = 0.001;
/** Share of an input's tissue that may be out of focus: folds and the section's rim usually are. */
const maxBlurred = 0.2;
/** Depth of shading by camera fields that a network may take for tissue. */
const maxStitching = 0.1;
const maxShading = 0.25;
/** Ratio of a slide's typical target intensity to the other slides' that one exposure does not explain. */
const maxExposureRatio = 4;

/**
 * @param roles the inputs, then the target
 * @param areFields the slides are fields of one slide, each a camera's view
 */
export function judgeQuality(
  slides: readonly JudgedSlide[],
  roles: readonly string[],
  areFields: boolean,
): QualityWarning[] {
  const warnings: QualityWarning[] = [];
  for (const { name, quality } of slides) {
    quality.forEach((channel, c) => {
      for (const message of judgeChannel(channel, roles[c], c < roles.length - 1)) {
        warnings.push({ slide: name, message });
      }
    });
  }
  if (areFields) warnings.push(...judgeShading(slides, roles));
  warnings.push(...judgeExposure(slides, roles[roles.length - 1]));
  return warnings;
}

function judgeChannel(channel: ChannelQuality, role: string, isInput: boolean): string[] {
  const what = `${role} ('${channel.name}')`;
  const found: string[] = [];
  if (channel.atMaxShare > maxAtMax) {
    found.push(
      `${what}: ${percent(channel.atMaxShare)} of the tissue is at the largest value, ${figure(channel.max)}: ` +
        'overexposed, or cut off when it was converted. Differences there are lost; export it again if you can.',
    );
  }
  if (isInput && channel.blurredShare !== null && channel.blurredShare > maxBlurred) {
    found.push(
      `${what}: ${percent(channel.blurredShare)} of the tissue is out of focus, as after a blur of 2 um or more ` +
        `(sharpness ${channel.sharpness?.toFixed(2)}, about 0.35 when sharp). Look at the slide; scan it again if it is not the stain that is diffuse.`,
    );
  }
  for (const [axis, shading] of Object.entries(channel.stitching)) {
    if (shading === null || shading.amplitude <= maxStitching) continue;
    found.push(
      `${what}: brightness rises and falls by ${percent(shading.amplitude)} every ${shading.periodUm.toFixed(0)} um ` +
        `along ${axis}, as the microscope's camera fields do. Export with shading correction if you can.`,
    );
  }
  if (channel.notFinitePx > 0) {
    found.push(
      `${what}: ${channel.notFinitePx} pixels are not finite numbers; they are left out everywhere.`,
    );
  }
  return found;
}

function judgeShading(slides: readonly JudgedSlide[], roles: readonly string[]): QualityWarning[] {
  const [{ widthPx, heightPx }] = slides;
  if (slides.some((slide) => slide.widthPx !== widthPx || slide.heightPx !== heightPx)) return [];
  return roles.flatMap((role, c) => {
    const pooled = poolShading(
      slides.flatMap(({ quality }) => (quality[c].shading === null ? [] : [quality[c].shading])),
    );
    if (pooled === null || pooled.amplitude < maxShading || pooled.amplitude < 3 * pooled.amplitudeError)
      return [];
    return [
      {
        message:
          `${role}: over the field, the brightest place is ${percent(pooled.amplitude)} (give or take ` +
          `${percent(pooled.amplitudeError)}) above the darkest in all fields alike: the microscope's illumination. ` +
          'Export with flat-field correction if you can.',
      },
    ];
  });
}

function judgeExposure(slides: readonly JudgedSlide[], target: string): QualityWarning[] {
  const level = ({ quality }: JudgedSlide): number => {
    const { percentiles, background } = quality[quality.length - 1];
    return percentiles[2] - (background ?? percentiles[0]);
  };
  const known = slides.filter((slide) => level(slide) > 0);
  const without = slides.filter((slide) => !known.includes(slide));
  const sorted = known.map(level).sort((a, b) => a - b);
  // Of two, the darker: which of them is unlike nobody can tell, and one of them is said.
  const typical = sorted[(sorted.length - 1) >> 1];
  const nothing = without.map(({ name }) => ({
    slide: name,
    message: `${target}: its brightest tissue is no brighter than the background: there is no probe on this slide, or it is another channel.`,
  }));
  const unlike = known
    .filter((slide) => level(slide) > maxExposureRatio * typical || level(slide) < typical / maxExposureRatio)
    .map((slide) => ({
      slide: slide.name,
      message:
        `${target}: its brightest tissue is ${figure(level(slide) / typical)} times that of the other slides ` +
        `(${figure(level(slide))} against ${figure(typical)} above background). The target is not rescaled from ` +
        'slide to slide: check that all were recorded with the same exposure.',
    }));
  return [...nothing, ...unlike];
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(2))}%`;
const figure = (value: number): string => `${Number(value.toPrecision(4))}`;
