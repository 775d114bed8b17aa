//! Keys for encryption at rest: a file for MariaDB's plug-in; for MySQL a tree of links in which its keyring component is
//! configured, as the server looks for that beside its own program and its plug-ins.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

/// Arguments that give a MariaDB server one key, kept in a file below `directory`.
pub(crate) fn mariadb(directory: &Path) -> Vec<String> {
    let file = directory.join("keys");
    let key: String = fs::read_to_string("/proc/sys/kernel/random/uuid").expect("a random uuid");
    let key: String = key.chars().filter(char::is_ascii_hexdigit).collect();
    fs::write(&file, format!("1;{key}\n")).expect("the key file can be written");
    vec![
        "--plugin-load-add=file_key_management".to_owned(),
        format!("--file-key-management-filename={}", file.display()),
    ]
}

/// A second tree over an unpacked MySQL (`unpacked`, which holds `my` and `root`) with the component configured; its `my`
/// runs the server, and the argument names the plug-ins.
pub(crate) fn mysql(directory: &Path, unpacked: &Path) -> (PathBuf, String) {
    let (tree, root) = (directory.join("keyring"), unpacked.join("root"));
    let root = root.canonicalize().expect("MySQL is unpacked");
    let programs = tree.join("root/usr/sbin");
    let plugins = tree.join("plugins");
    if !tree.exists() {
        fs::create_dir_all(&programs).expect("a directory");
        fs::create_dir_all(&plugins).expect("a directory");
        link_all(&root, &tree.join("root"), "usr");
        link_all(&root.join("usr"), &tree.join("root/usr"), "sbin");
        link_all(&root.join("usr/sbin"), &programs, "");
        link_all(&root.join("usr/lib/mysql/plugin"), &plugins, "");
        fs::copy(unpacked.join("my"), tree.join("my")).expect("the runner can be copied");
        let manifest = r#"{"components": "file://component_keyring_file"}"#;
        fs::write(programs.join("mysqld.my"), manifest).expect("the manifest can be written");
        let keys = serde_json::json!({ "path": directory.join("keys"), "read_only": false });
        fs::write(plugins.join("component_keyring_file.cnf"), keys.to_string()).expect("the settings can be written");
    }
    (tree.join("my"), format!("--plugin-dir={}", plugins.display()))
}

/// Links everything in a directory but one name.
fn link_all(from: &Path, to: &Path, but: &str) {
    for entry in fs::read_dir(from).expect("the unpacked tree").flatten() {
        if entry.file_name() != but {
            symlink(entry.path(), to.join(entry.file_name())).expect("a link");
        }
    }
}
