//! One tablespace of a table, and what the dictionary says of it.

use super::super::{
    catalog::{Partition, Table},
    record::Shape,
};

/// One tablespace of a table: the whole table or a partition.
pub(super) struct Part<'a> {
    pub table: &'a Table,
    pub partition: Option<&'a Partition>,
    pub shape: Option<&'a Shape>,
}

impl Part<'_> {
    pub fn rows(&self) -> u64 {
        self.partition.map_or(self.table.rows, |partition| partition.rows)
    }

    pub fn data_free(&self) -> u64 {
        self.partition.map_or(self.table.data_free, |partition| partition.data_free)
    }

    pub fn used_bytes(&self) -> u64 {
        let whole = (self.table.data_bytes, self.table.index_bytes);
        let (data, index) = self.partition.map_or(whole, |part| (part.data_bytes, part.index_bytes));
        data + index
    }

    /// Names its tablespace may have: in clear, and in the filename charset.
    pub fn spellings(&self) -> (String, Option<String>) {
        let name = &self.table.name;
        let (mut plain, mut encoded) = (format!("{}/{}", name.database, name.table), self.table.encoded.clone());
        if let Some(partition) = self.partition {
            plain.push_str("#p#");
            plain.push_str(&partition.name.to_lowercase());
            if let Some(sub) = &partition.subpartition {
                plain.push_str("#sp#");
                plain.push_str(&sub.to_lowercase());
            }
            encoded = encoded.zip(partition.encoded.as_ref()).map(|(table, part)| table + part);
        }
        (plain, encoded)
    }
}
