import { Download } from './download.tsx';
import { Time } from './time.tsx';

interface ErasedLineProps {
  erasure: {
    id: string;
    clientId: string;
    clientName: string;
    startedAt: string;
    completedAt: string | null;
  };
  /** Where what it had is kept, by the erasure. */
  exports: '/msp/exports' | '/account/erased';
}

/** An organization that is gone, and what it had while that is kept. */
export function ErasedLine({ erasure, exports }: ErasedLineProps) {
  const { id, clientId, clientName, startedAt, completedAt } = erasure;
  return (
    <>
      <div>
        <strong>{clientName}</strong> <code>{clientId}</code>
        <p className="quiet">
          {completedAt ? (
            <>
              Erased <Time at={completedAt} />. What it had is kept for 30 days after that.
            </>
          ) : (
            <>
              Being erased since <Time at={startedAt} />
            </>
          )}
        </p>
      </div>
      {completedAt && (
        <div className="actions">
          <Download
            path={`${exports}/${id}`}
            name={`${clientId}.ndjson`}
            text="Save what it had"
            label={`Save what it had: ${clientName}`}
          />
        </div>
      )}
    </>
  );
}
