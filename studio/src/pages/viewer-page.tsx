// The viewer: a slide, with its prediction if there is one, and everything that can be done on it.

import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { api, messageOf } from '../api.ts';
import { baseName, stemOf } from '../format.ts';
import { PathField } from '../forms/path-field.tsx';
import { ErrorBox } from '../parts/error-box.tsx';
import { Icon, type IconName } from '../parts/icon.tsx';
import { ButtonGroup, ToolButton } from '../parts/tool-buttons.tsx';
import { go, href, type Query, type Route } from '../route.ts';
import type { Overlay } from '../viewer/deck-layers.ts';
import { LayerPanel, type Shown } from '../viewer/layer-panel.tsx';
import type { LayerKind } from '../viewer/layers.ts';
import { OverlayPanel } from '../viewer/overlay-panel.tsx';
import { Overview } from '../viewer/overview.tsx';
import { ReadOut } from '../viewer/read-out.tsx';
import { RegionPanel } from '../viewer/region-panel.tsx';
import { type Point, regionsGeoJson, ringsOf } from '../viewer/regions.ts';
import { RolePanel } from '../viewer/role-panel.tsx';
import { formatRoles, parseRoles } from '../viewer/roles.ts';
import { download, pictureOf } from '../viewer/save-picture.ts';
import { SceneOverlay, type Tool } from '../viewer/scene-overlay.tsx';
import { type CanvasHandle, SlideCanvas } from '../viewer/slide-canvas.tsx';
import { type RegionBasis, useRegions } from '../viewer/use-regions.ts';
import { useSlide } from '../viewer/use-slide.ts';
import type { PaneId, PaneMode } from '../viewer/view-geometry.ts';

const tools: readonly [Tool, IconName, string][] = [
  ['move', 'move', 'Move (V)'],
  ['rectangle', 'rectangle', 'Draw a rectangle (R)'],
  ['polygon', 'polygon', 'Draw a polygon (P)'],
];
const modes: readonly [PaneMode, IconName, string][] = [
  ['single', 'single', 'One view'],
  ['side', 'side', 'Side by side'],
  ['swipe', 'swipe', 'Swipe'],
];
const overlayColors = [
  [255, 255, 255],
  [90, 209, 196],
  [255, 209, 102],
  [255, 143, 171],
] as const;

export function ViewerPage({ route }: { readonly route: Route }): ReactNode {
  const path = route.query.get('slide');
  const prediction = route.query.get('prediction');
  const overlayPaths = route.query.getAll('overlay').join('\n');
  const roleTexts = route.query.getAll('roles').join('\n');
  const roles = useMemo(() => parseRoles(roleTexts.split('\n')), [roleTexts]);
  const givenUm = Number(route.query.get('pixelSizeUm')) || undefined;
  const { slide, layers, error, setLayer } = useSlide(path, prediction, roles);
  const [reads, setReads] = useState<string>();
  useEffect(() => {
    // Where it fails, the page says so.
    slide?.reads.then(setReads).catch(() => {});
  }, [slide]);
  const pixelSizeUm = givenUm ?? slide?.pixelSizeUm ?? null;
  const [mode, setMode] = useState<PaneMode>('single');
  const [shown, setShown] = useState<Shown>({ left: ['slide'], right: ['prediction'] });
  const [tool, setTool] = useState<Tool>('move');
  const [selected, setSelected] = useState<number>();
  const [files, setFiles] = useState<readonly Overlay[]>([]);
  const [isVesselsVisible, setVesselsVisible] = useState(true);
  const [overlayError, setOverlayError] = useState<string>();
  const [point, setPoint] = useState<{ at: Point; pane: PaneId }>();
  const [isLoaded, setLoaded] = useState(false);
  const handle = useRef<CanvasHandle>(null);
  const basis = useMemo<RegionBasis | undefined>(
    () =>
      path === null
        ? undefined
        : {
            slide: path,
            roles,
            ...(prediction === null ? {} : { prediction }),
            ...(givenUm === undefined ? {} : { pixelSizeUm: givenUm }),
          },
    [path, prediction, roles, givenUm],
  );
  const { regions, add, remove, rename } = useRegions(basis);

  // biome-ignore lint/correctness/useExhaustiveDependencies: overlays belong to one slide.
  useEffect(() => {
    setFiles([]);
    setLoaded(false);
    setTool('move');
  }, [path]);

  const hasPrediction = layers.some(({ kind }) => kind === 'prediction');
  const hasMeasured = layers.some(({ kind }) => kind === 'measured');
  useEffect(() => {
    if (hasPrediction) {
      setMode('side');
      setShown({ left: [hasMeasured ? 'measured' : 'slide'], right: ['prediction'] });
    } else {
      setMode('single');
      setShown({ left: ['slide'], right: hasMeasured ? ['measured'] : ['slide'] });
    }
  }, [hasPrediction, hasMeasured]);

  const addOverlay = useCallback(async (file: string): Promise<void> => {
    setOverlayError(undefined);
    try {
      const paths = ringsOf(JSON.parse(await api.text(file)));
      if (paths.length === 0) throw new Error(`${file} holds no polygons or lines.`);
      setFiles((held) => {
        const color = overlayColors[(held.length + 1) % overlayColors.length];
        return [...held.filter(({ id }) => id !== file), { id: file, paths, color, isVisible: true }];
      });
    } catch (cause) {
      setOverlayError(messageOf(cause));
    }
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: after a change of slide the overlays come again.
  useEffect(() => {
    for (const file of overlayPaths.split('\n')) if (file !== '') void addOverlay(file);
  }, [overlayPaths, addOverlay, path]);

  const onDrawn = (points: readonly Point[]): void => {
    setTool('move');
    setSelected(add(points));
  };
  const facts = { roles: formatRoles(roles), pixelSizeUm: givenUm?.toString() };
  /** Everything else of the address stays. */
  const change = (part: Query): void =>
    go('view', {
      slide: path ?? undefined,
      prediction: prediction ?? undefined,
      overlay: route.query.getAll('overlay'),
      ...facts,
      ...part,
    });

  const chosen = regions.find(({ id }) => id === selected);
  const overlays = useMemo<readonly Overlay[]>(() => {
    const outlines = chosen?.result?.outlines ?? [];
    if (outlines.length === 0) return files;
    return [
      {
        id: 'Vessels around the region',
        paths: outlines.map((ring) => [...ring, ring[0]]),
        color: [255, 255, 255],
        isVisible: isVesselsVisible,
      },
      ...files,
    ];
  }, [chosen?.result, files, isVesselsVisible]);
  const drawn = useMemo(() => {
    const of = (pane: PaneId) => layers.filter(({ kind }) => shown[pane].includes(kind));
    return { left: of('left'), right: of('right') };
  }, [layers, shown]);
  const captions = useMemo(
    () => ({
      left: drawn.left.map(({ label }) => label).join(' + '),
      right: drawn.right.map(({ label }) => label).join(' + '),
    }),
    [drawn],
  );
  const onPoint = useCallback((at: Point | undefined, pane: PaneId) => setPoint(at && { at, pane }), []);
  const onLoaded = useCallback(() => setLoaded(true), []);

  const onShow = (pane: PaneId, kind: LayerKind, isShown: boolean): void =>
    setShown((held) => ({
      ...held,
      [pane]: isShown ? [...held[pane], kind] : held[pane].filter((each) => each !== kind),
    }));
  const savePicture = async (): Promise<void> => {
    const canvas = handle.current?.snapshot();
    if (canvas === undefined || path === null) return;
    const svg = document.querySelector<SVGSVGElement>('.scene-overlay');
    download(await pictureOf(canvas, svg), `${stemOf(path)}.png`);
  };
  const saveRegions = (): void => {
    const text = regionsGeoJson(regions, pixelSizeUm);
    download(
      new Blob([text], { type: 'application/geo+json' }),
      `${stemOf(path ?? 'slide')}.regions.geojson`,
    );
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if ((event.target as HTMLElement).matches('input, select, textarea') || event.ctrlKey || event.metaKey)
      return;
    const wanted = { v: 'move', r: 'rectangle', p: 'polygon' }[event.key] as Tool | undefined;
    if (wanted !== undefined) setTool(wanted);
  };

  if (path === null) return <ChooseSlide />;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys for tools, each of which has its button.
    <div className="viewer" onKeyDown={onKeyDown}>
      <div className="viewer-main">
        <div className="toolbar" role="toolbar" aria-label="Viewer">
          <strong className="viewer-title" title={path}>
            {baseName(path)}
          </strong>
          <ButtonGroup label="Tool" items={tools} value={tool} onChange={setTool} />
          <ButtonGroup label="Compare" items={modes} value={mode} onChange={setMode} />
          <span className="button-group">
            <ToolButton icon="minus" label="Zoom out (−)" onClick={() => handle.current?.zoomBy(-0.5)} />
            <ToolButton icon="plus" label="Zoom in (+)" onClick={() => handle.current?.zoomBy(0.5)} />
            <ToolButton icon="fit" label="Whole slide (0)" onClick={() => handle.current?.fit()} />
            <button
              type="button"
              className="tool-button"
              title="Full resolution (1)"
              onClick={() => handle.current?.actualSize()}
            >
              1:1
            </button>
          </span>
          <span className="spacer" />
          <button
            type="button"
            className="button small"
            onClick={() => void savePicture()}
            disabled={slide === undefined}
          >
            <Icon name="download" /> PNG
          </button>
          <button
            type="button"
            className="button small"
            onClick={saveRegions}
            disabled={regions.length === 0}
          >
            <Icon name="download" /> GeoJSON
          </button>
        </div>
        <div className="viewer-stage" data-loaded={isLoaded} data-testid="stage">
          {error !== undefined && <ErrorBox message={error} />}
          {error === undefined && layers.length === 0 && (
            <p className="stage-note" role="status">
              Opening the slide …
            </p>
          )}
          {slide !== undefined && (
            <SlideCanvas
              handle={handle}
              slide={slide}
              mode={mode}
              layers={drawn}
              overlays={overlays}
              isDrawing={tool !== 'move'}
              isLoaded={isLoaded}
              onPoint={onPoint}
              onLoaded={onLoaded}
            >
              {(scene) => (
                <>
                  <SceneOverlay
                    scene={scene}
                    pixelSizeUm={pixelSizeUm}
                    regions={regions}
                    selected={selected}
                    tool={tool}
                    captions={captions}
                    onDrawn={onDrawn}
                    onCancel={() => setTool('move')}
                  />
                  {drawn.left.length > 0 && (
                    <Overview
                      layer={drawn.left[drawn.left.length - 1]}
                      slide={slide}
                      scene={scene}
                      onMove={(target) => handle.current?.moveTo(target)}
                    />
                  )}
                </>
              )}
            </SlideCanvas>
          )}
        </div>
        <div className="status-bar">
          {slide !== undefined && (
            <ReadOut
              point={point?.at}
              layers={drawn[point?.pane ?? 'left']}
              slide={{ ...slide, pixelSizeUm }}
            />
          )}
          {slide !== undefined && (
            <span className="hint" title={reads && `Pixels by ${reads}`}>
              {slide.format}
            </span>
          )}
        </div>
      </div>
      <aside className="viewer-panel" aria-label="Slide">
        <LayerPanel layers={layers} shown={shown} mode={mode} onShow={onShow} onChange={setLayer} />
        {slide !== undefined && (
          <RolePanel
            key={path}
            slide={slide}
            roles={roles}
            pixelSizeUm={givenUm}
            onRoles={(changed) => change({ roles: formatRoles(changed) })}
            onPixelSize={(um) => change({ pixelSizeUm: um?.toString() })}
          />
        )}
        <RegionPanel
          regions={regions}
          selected={selected}
          onSelect={setSelected}
          onRemove={remove}
          onRename={rename}
        />
        <OverlayPanel
          overlays={overlays}
          error={overlayError}
          onAdd={(file) => void addOverlay(file)}
          onToggle={(id) => {
            if (id === 'Vessels around the region') setVesselsVisible((held) => !held);
            else
              setFiles((held) =>
                held.map((each) => (each.id === id ? { ...each, isVisible: !each.isVisible } : each)),
              );
          }}
        />
        <section className="panel-section" aria-label="Prediction">
          <h2>Prediction</h2>
          <PathField
            id="prediction"
            label="Predicted slide to compare with"
            value={prediction ?? ''}
            kinds={['slide']}
            isCompact
            onChange={(chosenPath) => change({ prediction: chosenPath === '' ? undefined : chosenPath })}
          />
          <div className="panel-actions">
            <a className="button small" href={href('new/predict', { slide: path, ...facts })}>
              Predict this slide
            </a>
            <a
              className="button small"
              href={href('new/analyze', { slide: path, prediction: prediction ?? undefined, ...facts })}
            >
              Analyze
            </a>
          </div>
        </section>
      </aside>
    </div>
  );
}

function ChooseSlide(): ReactNode {
  return (
    <div className="page">
      <h1>Viewer</h1>
      <p>Choose a slide to look at. OME-TIFF, TIFF, OME-Zarr, PNG and JPEG are read.</p>
      <PathField
        id="slide"
        label="Slide"
        value=""
        kinds={['slide']}
        onChange={(chosen) => chosen !== '' && go('view', { slide: chosen })}
      />
    </div>
  );
}
