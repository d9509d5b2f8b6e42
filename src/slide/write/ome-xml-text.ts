// OME-XML (2016-06) of the slides that are written.
import { scaleAnnotations } from '../value-scale.ts';
import type { SlideDescription, WrittenType } from './slide-description.ts';

const pixelTypes: Readonly<Record<WrittenType, string>> = {
  float32: 'float',
  uint8: 'uint8',
  uint16: 'uint16',
};

/** Namespace of our key and value pairs. */
const annotationNamespace = 'hrpn';

/** Names what is in the file; the same slide gives the same text, so it holds neither date nor random identifier. */
export function omeXml(slide: SlideDescription): string {
  const { width, height, channels, sampleType, pixelSizeUm, description } = slide;
  const pairs = annotationPairs(slide);
  const channelTags = channels.map(({ name, color }, c) => {
    // RGBA as a signed number, as the schema wants it.
    const colour = color === undefined ? '' : ` Color="${(color << 8) | 0xff | 0}"`;
    return `<Channel ID="Channel:0:${c}" Name="${escapeXml(name)}" SamplesPerPixel="1"${colour}/>`;
  });
  const planeTags = channels.map((_, c) => `<TiffData IFD="${c}" FirstC="${c}" PlaneCount="1"/>`);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ',
    'xsi:schemaLocation="http://www.openmicroscopy.org/Schemas/OME/2016-06 http://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd" Creator="hrpn">',
    '<Image ID="Image:0">',
    description === undefined ? '' : `<Description>${escapeXml(description)}</Description>`,
    `<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="${pixelTypes[sampleType]}" SizeX="${width}" SizeY="${height}" `,
    `SizeC="${channels.length}" SizeZ="1" SizeT="1" PhysicalSizeX="${pixelSizeUm}" PhysicalSizeXUnit="µm" `,
    `PhysicalSizeY="${pixelSizeUm}" PhysicalSizeYUnit="µm">`,
    ...channelTags,
    ...planeTags,
    '</Pixels>',
    pairs.length === 0 ? '' : '<AnnotationRef ID="Annotation:0"/>',
    '</Image>',
    pairs.length === 0
      ? ''
      : `<StructuredAnnotations><MapAnnotation ID="Annotation:0" Namespace="${annotationNamespace}"><Value>` +
        pairs.map(([key, value]) => `<M K="${escapeXml(key)}">${escapeXml(value)}</M>`).join('') +
        '</Value></MapAnnotation></StructuredAnnotations>',
    '</OME>',
  ].join('');
}

/** The annotations of a slide, with the roles of its channels under 'role: NAME'. */
export function annotationPairs({ channels, annotations, valueScale }: SlideDescription): [string, string][] {
  const roles = channels.flatMap(({ name, role }): [string, string][] =>
    role === undefined ? [] : [[`role: ${name}`, role]],
  );
  const scale = valueScale === undefined ? [] : scaleAnnotations(valueScale);
  return [...roles, ...scale, ...Object.entries(annotations ?? {})];
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Characters that XML cannot hold at all are left out. */
function escapeXml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be removed
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
      .replace(/[&<>"']/g, (mark) => entities[mark])
  );
}
