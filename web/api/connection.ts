import { Store } from '../parts/store.ts';

export type ConnectionState = 'idle' | 'live' | 'reconnecting' | 'offline';

/** How live what is shown is. */
export const connection = new Store<ConnectionState>('idle');

/** What reconnects on the socket's part. */
let socket: 'idle' | 'live' | 'reconnecting' = 'idle';

export function socketIs(state: typeof socket): void {
  socket = state;
  tell();
}

function tell(): void {
  connection.set(navigator.onLine ? socket : 'offline');
}

addEventListener('online', tell);
addEventListener('offline', tell);
