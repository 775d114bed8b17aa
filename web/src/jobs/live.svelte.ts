// Keeps a loaded list of jobs in step with the live updates.
import type { Load } from '../api/load.svelte';
import { monitor } from '../api/monitor.svelte';
import type { JobList } from '../api/shapes';

/** Writes each update into its row; a job not in the list makes `again` run. Returns how to stop. */
export function live(list: Load<JobList>, again: () => unknown): () => void {
  return monitor.listen((update) => {
    const data = list.data;
    if (!data) return;
    const known = data.jobs.some((job) => job.job_id === update.job_id);
    if (!known) return void again();
    const jobs = data.jobs.map((job) => (job.job_id === update.job_id ? { ...job, status: update.status, progress: update.progress } : job));
    list.data = { ...data, jobs };
  });
}
