import { startPanel } from '../panel.js';
import { panelOptions, run } from '../run.js';

// One machine, one process: everything on one port, data under DATA_DIR.
await run(async (stopped) => {
  const panel = await startPanel({ ...panelOptions(process.env), stopped });
  process.stdout.write(
    `Quazzar Control Panel\n  ${panel.publicUrl}\n  GraphQL and GraphiQL: ${panel.publicUrl}/graphql and ${panel.publicUrl}/graphiql\n`,
  );
  if (panel.setupLink) {
    process.stdout.write(
      `\nNo administrator yet. Open this link once, within 24 hours, to make the first one:\n  ${panel.setupLink}\n`,
    );
  }
  return panel;
});
