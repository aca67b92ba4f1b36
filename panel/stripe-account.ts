import { requireNode } from '#platform/node-version.js';

requireNode();
await import('./commands/stripe-account.js');
