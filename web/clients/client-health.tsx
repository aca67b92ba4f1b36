import type { ClientHealthFragment } from '../generated/graphql.ts';

/** How a client fares, in figures: whose they are is seen only by acting in it. */
export function ClientHealth({ health }: { health: ClientHealthFragment }) {
  const { healthy, degraded, offline, overallScore, needsAttention } = health;
  const { criticalAlerts, warningAlerts, infoAlerts } = health;
  const alerts = listed([
    [criticalAlerts, 'critical'],
    [warningAlerts, 'warning'],
    [infoAlerts, 'for information'],
  ]);
  return (
    <p className={needsAttention ? 'wrong' : undefined}>
      {listed([
        [offline, 'offline'],
        [degraded, 'degraded'],
        [healthy, 'healthy'],
      ]) || 'No instance'}
      {alerts && `. Alerts: ${alerts}`}
      {overallScore !== null && `. Score ${overallScore}`}
    </p>
  );
}

function listed(counts: readonly (readonly [number, string])[]): string {
  return counts
    .filter(([count]) => count > 0)
    .map(([count, of]) => `${count} ${of}`)
    .join(', ');
}
