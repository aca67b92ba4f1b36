import { Card } from '../parts/card.tsx';
import { Time } from '../parts/time.tsx';

/** What the node says of itself. */
export function Facts({ facts, reportedAt }: { facts: Record<string, unknown>; reportedAt: string | null }) {
  const entries = flat(facts);
  return (
    <Card title="Facts" className="wide">
      {entries.length === 0 ? (
        <p>It has not reported any.</p>
      ) : (
        <details>
          <summary>
            {entries.length} facts, reported <Time at={reportedAt} />
          </summary>
          <dl>
            {entries.map(([path, value]) => (
              <div key={path}>
                <dt>{path}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </Card>
  );
}

function flat(value: unknown, path = ''): [string, string][] {
  if (typeof value !== 'object' || value === null) return [[path, String(value)]];
  if (Array.isArray(value))
    return [
      [path, value.map((one) => (typeof one === 'object' ? JSON.stringify(one) : String(one))).join(', ')],
    ];
  return Object.entries(value).flatMap(([name, inner]) =>
    flat(inner, path === '' ? name : `${path}.${name}`),
  );
}
