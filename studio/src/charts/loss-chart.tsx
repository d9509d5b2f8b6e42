// The curves of a training run.
import type { ReactNode } from 'react';
import type { HistoryRow } from '../../../src/contract/studio.ts';
import { LineChart } from './line-chart.tsx';

export function LossChart({ rows }: { readonly rows: readonly HistoryRow[] }): ReactNode {
  const validated = rows.filter(({ validation }) => validation !== null);
  return (
    <div className="loss-charts" data-testid="loss-charts" data-epochs={rows.length}>
      <div>
        <h3>Training loss</h3>
        <LineChart
          label="Training loss by epoch"
          series={[
            {
              name: 'training loss',
              color: 'var(--series-1)',
              points: rows.map((row) => ({ x: row.epoch, y: row.trainLoss })),
            },
          ]}
          xLabel="epoch"
          isWhole
          yLabel="loss, normalised units"
          width={520}
          height={230}
        />
      </div>
      {validated.length > 0 && (
        <div>
          <h3>Validation R²</h3>
          <LineChart
            label="Validation R² by epoch"
            series={[
              {
                name: 'validation R²',
                color: 'var(--series-2)',
                points: validated.map((row) => ({ x: row.epoch, y: row.validation?.r2 ?? null })),
              },
            ]}
            xLabel="epoch"
            isWhole
            yLabel="R²"
            width={520}
            height={230}
          />
        </div>
      )}
    </div>
  );
}
