import type { SimulatedProfile } from './metrics/simulated.js';
import { cloudOsVersion as version } from './version.js';

/**
 * The demo's eight nodes. The first two are the published reference's example instances, and all together add up to its
 * example summary: 45 apps, 32 cores, 128 GB, seven healthy and one degraded, about which an alert fires once that has
 * lasted for a minute; 42.3 GB stored, as in its usage example.
 */
// oxfmt-ignore
export const demoFleet: readonly SimulatedProfile[] = [
  { name: 'production-01', hostname: 'cloud.example.com',         version, appsCount: 12, cpuPercent: 35.2, memoryPercent: 62.1, diskPercent: 48.3, cpuCores: 8, memoryGb: 32, storageUsedGb: 12.4 },
  { name: 'staging-01',    hostname: 'staging.example.com',       version, appsCount: 5,  cpuPercent: 12.8, memoryPercent: 28.4, diskPercent: 22.7, cpuCores: 4, memoryGb: 16, storageUsedGb: 3.6 },
  { name: 'production-02', hostname: 'cloud-02.example.com',      version, appsCount: 9,  cpuPercent: 41.6, memoryPercent: 57.9, diskPercent: 51.2, cpuCores: 4, memoryGb: 16, storageUsedGb: 8.9 },
  { name: 'database-01',   hostname: 'db.example.com',            version, appsCount: 6,  cpuPercent: 27.3, memoryPercent: 66.5, diskPercent: 58.8, cpuCores: 4, memoryGb: 32, storageUsedGb: 9.7 },
  { name: 'build-01',      hostname: 'build.example.com',         version, appsCount: 4,  cpuPercent: 52.4, memoryPercent: 44.7, diskPercent: 39.1, cpuCores: 4, memoryGb: 16, storageUsedGb: 2.8 },
  { name: 'edge-fra-01',   hostname: 'fra.edge.example.com',      version, appsCount: 4,  cpuPercent: 18.9, memoryPercent: 36.2, diskPercent: 17.5, cpuCores: 2, memoryGb: 4,  storageUsedGb: 0.9 },
  { name: 'edge-sin-01',   hostname: 'sin.edge.example.com',      version, appsCount: 3,  cpuPercent: 15.1, memoryPercent: 33.8, diskPercent: 16.4, cpuCores: 2, memoryGb: 4,  storageUsedGb: 0.7 },
  { name: 'backup-01',     hostname: 'backup.example.com',        version, appsCount: 2,  cpuPercent: 9.4,  memoryPercent: 24.6, diskPercent: 63.0, cpuCores: 4, memoryGb: 8,  storageUsedGb: 3.3,
    health: [{ component: 'backup', status: 'unhealthy', message: 'Last backup is 26 h old' }] },
];
