import { requireNode } from '#platform/node-version.js';

requireNode();
await import('./commands/check-settings.js');
