//! The command line, as the original takes it: long names behind one hyphen.

use clap::Parser;

/// Runs the services of a launch file, or one service.
#[derive(Debug, Parser)]
#[command(name = "mo-service", version, about, disable_help_subcommand = true)]
pub struct Arguments {
    /// A list of service files: all of them are run in this process
    #[arg(long, value_name = "FILE", required_unless_present = "cfg", conflicts_with = "cfg")]
    launch: Option<String>,
    /// One service file
    #[arg(long, value_name = "FILE")]
    cfg: Option<String>,
    /// Say what is wrong with the files, and start nothing
    #[arg(long)]
    pub check: bool,
}

/// What is to be run.
pub enum What {
    /// All services of a list.
    Launch(String),
    /// One service.
    Service(String),
}

impl Arguments {
    /// Which file, and what it is.
    pub fn what(&self) -> What {
        match &self.launch {
            Some(file) => What::Launch(file.clone()),
            None => What::Service(self.cfg.clone().unwrap_or_default()),
        }
    }
}

/// `-launch` means `--launch`, as the original has it.
pub fn doubled(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let double = |argument: String| {
        let long = argument.len() > 2 && argument.starts_with('-') && !argument.starts_with("--");
        if long { format!("-{argument}") } else { argument }
    };
    arguments.map(double).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(doubled(line.split(' ').map(str::to_owned)))
    }

    #[test]
    fn one_hyphen_is_as_good_as_two() {
        for line in
            ["mo-service -launch etc/launch/launch.toml -check", "mo-service --launch=etc/launch/launch.toml --check"]
        {
            let arguments = read(line).unwrap();
            assert!(
                arguments.check && matches!(arguments.what(), What::Launch(file) if file == "etc/launch/launch.toml")
            );
        }
        assert!(matches!(read("mo-service -cfg a.toml").unwrap().what(), What::Service(file) if file == "a.toml"));
    }

    #[test]
    fn there_is_one_file() {
        assert!(read("mo-service").is_err() && read("mo-service -cfg a.toml -launch b.toml").is_err());
    }
}
