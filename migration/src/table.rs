//! The words in which [`tables`](crate::tables) describes the database.

/// A table with a text `id` as its primary key.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [Column],
    pub(crate) unique: &'static [Key],
    pub(crate) indexes: &'static [Key],
}

/// Columns that are unique or indexed together, in this order.
pub(crate) type Key = &'static [&'static str];

/// The primary key of every table.
pub(crate) const PRIMARY_KEY: Key = &["id"];

pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
    pub(crate) default: Option<DefaultValue>,
    pub(crate) references: Option<Reference>,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Boolean,
    Time,
    Json,
}

#[derive(Clone, Copy)]
pub(crate) enum DefaultValue {
    Now,
    Boolean(bool),
    Text(&'static str),
}

/// A foreign key to the `id` of another table.
#[derive(Clone, Copy)]
pub(crate) struct Reference {
    pub(crate) table: &'static str,
    pub(crate) on_delete: OnDelete,
}

#[derive(Clone, Copy)]
pub(crate) enum OnDelete {
    Cascade,
    Restrict,
}

impl OnDelete {
    pub(crate) const fn sql(self) -> &'static str {
        match self {
            Self::Cascade => "CASCADE",
            Self::Restrict => "RESTRICT",
        }
    }
}

pub(crate) const fn text(name: &'static str) -> Column {
    Column::new(name, Kind::Text)
}

pub(crate) const fn boolean(name: &'static str) -> Column {
    Column::new(name, Kind::Boolean)
}

pub(crate) const fn time(name: &'static str) -> Column {
    Column::new(name, Kind::Time)
}

pub(crate) const fn json(name: &'static str) -> Column {
    Column::new(name, Kind::Json)
}

impl Column {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            nullable: false,
            default: None,
            references: None,
        }
    }

    pub(crate) const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    pub(crate) const fn default(mut self, default: DefaultValue) -> Self {
        self.default = Some(default);
        self
    }

    /// Goes away together with the row it refers to.
    pub(crate) const fn part_of(mut self, table: &'static str) -> Self {
        self.references = Some(Reference {
            table,
            on_delete: OnDelete::Cascade,
        });
        self
    }

    /// Keeps the row it refers to from going away.
    pub(crate) const fn holds(mut self, table: &'static str) -> Self {
        self.references = Some(Reference {
            table,
            on_delete: OnDelete::Restrict,
        });
        self
    }
}
