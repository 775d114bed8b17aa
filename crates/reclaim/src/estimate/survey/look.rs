//! The two looks at one tablespace, which comes first, and which is believed.

use super::{
    super::{
        Content,
        access::resolve,
        budget::BLOCK,
        columns::Width,
        content::IndexContent,
        record::Shape,
        rows::{Look, Rows},
        sampler::{Sampled, Sampler},
        spaces::Space,
        statistics,
        tablespace::{Doubt, Tablespace},
    },
    Part, Surveyor,
};
use api::Method;
use mysql::SqlError;
use runtime::Random;
use std::path::Path;

/// A table so small is not worth a page: its file cannot shrink by anything that matters.
const TINY: u64 = 256 << 10;
/// Rows a stretch of the SQL sample should hold.
const STRETCH_ROWS: u64 = 24;
/// Share of a file's pages that may be old before the file is not believed.
const STALE: f64 = 0.05;

impl Surveyor<'_> {
    /// Looks, and takes what it cost from the budget.
    pub(super) async fn content(&mut self, part: &Part<'_>, space: &Space) -> Result<Content, SqlError> {
        let allowance = self.budget.share(space.file_bytes);
        let before = self.read + self.asked;
        let content = if self.stale(space) > STALE {
            self.rows_first(part, space, allowance).await?
        } else {
            self.pages_first(part, space, allowance).await?
        };
        self.budget.spend(space.file_bytes, self.read + self.asked - before);
        Ok(content)
    }

    fn stale(&self, space: &Space) -> f64 {
        self.unwritten.share(space.file_bytes as f64 / f64::from(space.page_bytes))
    }

    /// The file may be old: rows are asked for in memory; where none can be afforded a doubtful look beats none.
    async fn rows_first(&mut self, part: &Part<'_>, space: &Space, allowance: u64) -> Result<Content, SqlError> {
        let rows = self.by_sql(part, space, allowance).await?;
        if rows.method != Method::None {
            return Ok(rows);
        }
        Ok(self.by_pages(part, space, allowance).await.map_or(rows, |(content, _)| content))
    }

    /// The file is as good as the server's memory. Its pages may still hold rows that are deleted: a part of the share is
    /// kept to ask for rows then, or the next tables would pay for it.
    async fn pages_first(&mut self, part: &Part<'_>, space: &Space, allowance: u64) -> Result<Content, SqlError> {
        let most = if self.unwritten.history > 0.0 { allowance * 2 / 3 } else { allowance };
        let before = self.read;
        let doubtful = match self.by_pages(part, space, most).await {
            Some((content, true)) => return Ok(content),
            doubtful => doubtful.map(|(content, _)| content),
        };
        let rows = self.by_sql(part, space, allowance.saturating_sub(self.read - before)).await?;
        Ok(doubtful.filter(|_| rows.method == Method::None).unwrap_or(rows))
    }

    /// What the file's pages say, and whether they are to be believed.
    async fn by_pages(&mut self, part: &Part<'_>, space: &Space, allowance: u64) -> Option<(Content, bool)> {
        if space.encrypted || space.file_bytes < TINY || allowance < BLOCK {
            return None;
        }
        let path = resolve(self.directory.as_deref()?, space.path.as_deref()?);
        let (owned, table) = (space.clone(), part.table.name.clone());
        let sampled = tokio::task::spawn_blocking(move || sample(&path, &owned, allowance)).await.ok()?;
        let (sampled, read) = sampled.inspect_err(|doubt| tracing::debug!(%table, "not by its file: {doubt}")).ok()?;
        self.read += read;
        // Deleted rows that purge has not taken away look alive on a page; the server's count leaves them out at once.
        let marked = self.unwritten.history > 0.0 && sampled.records > 1.15 * part.rows() as f64;
        if sampled.unreadable > 0.25 {
            return None;
        }
        let doubt = self.stale(space)
            + sampled.unreadable / 2.0
            + if space.compressed { 0.1 } else { 0.0 }
            + if marked { 0.5 } else { 0.0 };
        let content = Content {
            file_bytes: space.file_bytes,
            data_free_bytes: part.data_free(),
            method: Method::Pages,
            page_bytes: space.page_bytes,
            logical_bytes: space.logical_bytes,
            indexes: sampled.indexes,
            punched_bytes: None,
            doubt,
        };
        Some((content, !marked))
    }

    async fn by_sql(&mut self, part: &Part<'_>, space: &Space, allowance: u64) -> Result<Content, SqlError> {
        let unknown = Content::unknown(space.file_bytes, part.data_free());
        let stretches = (allowance / (2 * u64::from(space.logical_bytes))).min(2000);
        let Some(shape) = part.shape.filter(|_| stretches > 0) else { return Ok(unknown) };
        let look = Look {
            name: &part.table.name,
            partition: part.partition.map(|part| part.subpartition.as_deref().unwrap_or(&part.name)),
            shape,
            versioned: part.table.versioned,
            expected: part.rows() as f64,
            stretches,
            rows: STRETCH_ROWS,
            random: Random::seeded(space.id),
        };
        let rows = match look.run(self.session).await {
            Ok(rows) => rows,
            // One table that cannot be asked (no SELECT, dropped meanwhile, odd type) must not end the survey.
            Err(error @ SqlError::Server { .. }) => {
                tracing::debug!(table = %part.table.name, "no rows: {error}");
                return Ok(unknown);
            }
            Err(error) => return Err(error),
        };
        self.asked += 2 * u64::from(space.logical_bytes) * stretches;
        Ok(assemble(part, space, shape, &rows).unwrap_or(unknown))
    }
}

fn assemble(part: &Part<'_>, space: &Space, shape: &Shape, rows: &Rows) -> Option<Content> {
    let count = statistics::row_count(part.rows() as f64, rows);
    let pointer = 10.0 + key_bytes(shape);
    let indexes = match statistics::indexes(rows, count, shape.logical_page, pointer) {
        // Rows were seen where the statistics have none, and too few to count them.
        Some(_) if count.0 <= 0.0 => return None,
        Some(indexes) => indexes,
        None if part.rows() == 0 => Vec::new(),
        None => return None,
    };
    Some(Content {
        file_bytes: space.file_bytes,
        data_free_bytes: part.data_free(),
        method: Method::Sql,
        page_bytes: space.page_bytes,
        logical_bytes: space.logical_bytes,
        punched_bytes: None,
        doubt: if space.compressed { incompressible(space, &indexes) } else { 0.0 },
        indexes,
    })
}

/// How well rows compress cannot be seen from outside: at worst not at all, and then a page holds no more than its length
/// in the file. As a share of the file.
fn incompressible(space: &Space, indexes: &[IndexContent]) -> f64 {
    let more = f64::from(space.logical_bytes) / f64::from(space.page_bytes) - 1.0;
    let leaves: f64 = indexes.iter().map(|index| index.leaf_pages).sum();
    (more * leaves * f64::from(space.page_bytes) / (space.file_bytes as f64).max(1.0)).clamp(0.05, 1.0)
}

fn key_bytes(shape: &Shape) -> f64 {
    let width = |(at, _): &(usize, Option<u64>)| match shape.columns[*at].width {
        Width::Fixed(width) => width as f64,
        Width::Variable { most, .. } => (most as f64 / 4.0).clamp(8.0, 40.0),
        _ => 16.0,
    };
    shape.key.iter().map(width).sum()
}

fn sample(path: &Path, space: &Space, allowance: u64) -> Result<(Sampled, u64), Doubt> {
    let mut tablespace = Tablespace::open(path, space)?;
    let sampled = Sampler {
        tablespace: &mut tablespace,
        clustered: &space.indexes,
        logical_page: space.logical_bytes,
        compressed: space.compressed,
        allowance,
        random: Random::seeded(space.id),
    }
    .run()?;
    Ok((sampled, tablespace.read))
}
