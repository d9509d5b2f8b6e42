// The few pictograms, drawn as strokes on a 24 x 24 grid.
import type { ReactNode } from 'react';

const shapes = {
  eye: 'M2.5 12s3.5-6.5 9.5-6.5S21.5 12 21.5 12s-3.5 6.5-9.5 6.5S2.5 12 2.5 12zM12 9.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6z',
  'eye-off':
    'M4 4l16 16M9.9 5.8A9.5 9.5 0 0 1 12 5.5c6 0 9.5 6.5 9.5 6.5a16 16 0 0 1-3 3.7M6.3 7.4A15.5 15.5 0 0 0 2.5 12s3.5 6.5 9.5 6.5a9.6 9.6 0 0 0 4.1-.9',
  folder:
    'M3 6.5A1.5 1.5 0 0 1 4.5 5h4l2 2.5h9A1.5 1.5 0 0 1 21 9v8.5a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5z',
  slide: 'M4 5h16v14H4zM4 15l4.5-4.5 3.5 3.5 3-3 5 5M15.5 8.5h.01',
  dataset:
    'M12 3.5c4.4 0 8 1.3 8 3s-3.6 3-8 3-8-1.3-8-3 3.6-3 8-3zM4 6.5v11c0 1.7 3.6 3 8 3s8-1.3 8-3v-11M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3',
  run: 'M4 19V5M4 19h16M7.5 8c1.5 6 4 7.5 11.5 8',
  model:
    'M6 6h.01M6 12h.01M6 18h.01M18 9h.01M18 15h.01M7.5 6.5l9 2.2M7.5 12l9-2.7M7.5 12l9 2.7M7.5 17.5l9-2.2M6 4.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3zM6 10.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3zM6 16.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3zM18 7.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3zM18 13.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3z',
  report: 'M6 3.5h8.5L19 8v12.5H6zM14 3.5V8.5h5M9 12.5h7M9 16h7',
  regions: 'M5 8l7-4 8 5-2 9-10 2zM5 8l3 12',
  file: 'M6 3.5h8.5L19 8v12.5H6zM14 3.5V8.5h5',
  move: 'M12 3v18M3 12h18M12 3l-2.5 2.5M12 3l2.5 2.5M12 21l-2.5-2.5M12 21l2.5-2.5M3 12l2.5-2.5M3 12l2.5 2.5M21 12l-2.5-2.5M21 12l-2.5 2.5',
  rectangle: 'M4.5 6.5h15v11h-15z',
  polygon: 'M5 9l7-5 7.5 4.5L17 18l-9.5 1.5z',
  fit: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  single: 'M4 5h16v14H4z',
  side: 'M4 5h16v14H4zM12 5v14',
  swipe: 'M4 5h16v14H4zM12 3v18M9.5 10L7.5 12l2 2M14.5 10l2 2-2 2',
  download: 'M12 4v11M7.5 11l4.5 4.5 4.5-4.5M4.5 19.5h15',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z',
  close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  alert: 'M12 4l9.5 16h-19zM12 10v4.5M12 17.2h.01',
  play: 'M7.5 5v14l11-7z',
  stop: 'M7 7h10v10H7z',
  up: 'M12 19V5M6 11l6-6 6 6',
  home: 'M4 11l8-7 8 7v9h-5.5v-5.5h-5V20H4z',
  list: 'M8.5 6.5h12M8.5 12h12M8.5 17.5h12M4 6.5h.01M4 12h.01M4 17.5h.01',
  flask: 'M9.5 3.5h5M10.5 3.5V10L5 19a1.2 1.2 0 0 0 1 1.5h12a1.2 1.2 0 0 0 1-1.5L13.5 10V3.5M7.5 15.5h9',
  spark: 'M12 3.5l2 6.5 6.5 2-6.5 2-2 6.5-2-6.5-6.5-2 6.5-2z',
  chart: 'M4.5 4v15.5H20M8.5 16v-4M12.5 16V7.5M16.5 16v-6',
  ruler: 'M3.5 16L16 3.5 20.5 8 8 20.5zM7 12.5l2 2M10 9.5l2.5 2.5M13 6.5l2 2',
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name }: { readonly name: IconName }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={shapes[name]} />
    </svg>
  );
}
