// Writes what `prepare` found out about the slides: figures for programs and a report for people.
import { join } from 'node:path';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { version } from '../core/version.ts';
import type { QualityWarning } from '../dataset/judge-quality.ts';
import type { DatasetManifest } from '../dataset/manifest.ts';
import { focusOf } from '../dataset/open-dataset.ts';
import { colourOf } from '../dataset/thumbnail.ts';
import { datasetReport, type ReportChannel } from '../report/dataset-report.ts';
import type { ExcludedSlide, SurveyedSlide } from './survey-slides.ts';

export interface DatasetFindings {
  readonly manifest: DatasetManifest;
  /** In the order of the manifest's slides. */
  readonly surveyed: readonly SurveyedSlide[];
  readonly excluded: readonly ExcludedSlide[];
  readonly warnings: readonly QualityWarning[];
  readonly notes: readonly string[];
  readonly commandLine: string;
}

/** Files in a dataset folder beside its manifest and masks. */
export const reportFiles = { report: 'report.html', figures: 'quality.json' } as const;

/** @throws WriteError */
export async function writeDatasetReport(folder: string, findings: DatasetFindings): Promise<void> {
  const { manifest, surveyed, excluded, warnings, notes, commandLine } = findings;
  const roles = [...manifest.inputRoles, manifest.targetRole];
  const figures = {
    format: 'hrpn dataset quality',
    version: 1,
    slides: manifest.slides.map(({ name }, i) => ({
      name,
      channels: surveyed[i].survey.quality.map((quality, c) => ({ role: roles[c], ...quality })),
    })),
    warnings,
  };
  await writeFileAtomic(join(folder, reportFiles.figures), `${JSON.stringify(figures, null, 1)}\n`);
  const html = datasetReport({
    madeBy: `hrpn ${version}`,
    commandLine,
    splitBy: manifest.splitBy,
    patch: manifest.patch,
    pixelSizeUm: manifest.pixelSizeUm,
    slides: manifest.slides.map((slide, i) => {
      const { survey, thumbnail } = surveyed[i];
      return {
        name: slide.name,
        path: slide.path,
        split: slide.split,
        group: slide.group,
        widthPx: slide.width,
        heightPx: slide.height,
        pixelSizeUm: slide.pixelSizeUm,
        tissueAreaMm2: slide.tissueAreaMm2,
        windows: survey.windows.map(({ x, y }): [number, number] => [x, y]),
        windowsDropped: survey.dropped,
        thumbnail,
        channels: roles.map((role, c) => reportChannel(manifest, i, role, c, roles, survey.quality[c])),
        warnings: warnings.filter((warning) => warning.slide === slide.name).map(({ message }) => message),
      };
    }),
    excluded,
    warnings: warnings.filter(({ slide }) => slide === undefined).map(({ message }) => message),
    notes,
  });
  await writeFileAtomic(join(folder, reportFiles.report), html);
}

function reportChannel(
  manifest: DatasetManifest,
  slide: number,
  role: string,
  index: number,
  roles: readonly string[],
  quality: SurveyedSlide['survey']['quality'][number],
): ReportChannel {
  const isTarget = role === manifest.targetRole;
  const { offset, scale } = isTarget ? manifest.targetMap : manifest.slides[slide].maps[role];
  const { stitching } = quality;
  return {
    ...quality,
    role,
    isTarget,
    colour: `rgb(${colourOf(roles, index).join(',')})`,
    refocused: isTarget ? 0 : focusOf(manifest, manifest.slides[slide])[index],
    stitching: { x: stitching.x?.amplitude ?? null, y: stitching.y?.amplitude ?? null },
    mapped: [offset, offset + scale],
  };
}
