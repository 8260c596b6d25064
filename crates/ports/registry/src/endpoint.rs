//! From a repository's name to the address it is reached under.

use url::Url;
use weir_oci::Repository;

use crate::address::{self, Reach};
use crate::options::{ClientOptions, PlainHttp};

/// Where a repository is really asked for.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// The repository in the words of the server that is asked: a mirror's host, its prefix in front.
    pub(crate) wire: Repository,
    /// `https://host[:port]/`
    pub(crate) base: Url,
    /// Whether HTTP may be tried when HTTPS does not connect.
    pub(crate) may_fall_back: bool,
}

impl Endpoint {
    /// # Errors
    /// When a mirror's address makes no repository, as text.
    pub(crate) fn new(options: &ClientOptions, repository: &Repository) -> Result<Self, String> {
        let registry = repository.registry();
        // People write Docker Hub's short name; repositories hold the long one.
        let short = if registry == "index.docker.io" {
            "docker.io"
        } else {
            registry
        };
        if let Some(mirror) = options
            .mirrors
            .get(registry)
            .or_else(|| options.mirrors.get(short))
        {
            return Self::of_mirror(mirror, repository);
        }
        let secure: Url = format!("https://{registry}/")
            .parse()
            .map_err(|_| format!("{registry:?} is no host"))?;
        let plain = match &options.plain_http {
            PlainHttp::Never | PlainHttp::Any => false,
            PlainHttp::Loopback => address::reach(&secure) == Reach::Loopback,
            PlainHttp::Hosts(hosts) => hosts.contains(registry),
        };
        let base = if plain {
            format!("http://{registry}/")
                .parse()
                .map_err(|_| format!("{registry:?} is no host"))?
        } else {
            secure
        };
        Ok(Self {
            wire: repository.clone(),
            base,
            may_fall_back: options.plain_http == PlainHttp::Any,
        })
    }

    fn of_mirror(mirror: &Url, repository: &Repository) -> Result<Self, String> {
        let wrong = |why: &str| format!("the mirror of {} {why}", repository.registry());
        if !matches!(mirror.scheme(), "https" | "http") {
            return Err(wrong("has a scheme other than https and http"));
        }
        let host = mirror.host_str().ok_or_else(|| wrong("has no host"))?;
        let registry = mirror
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let prefix = mirror.path().trim_matches('/');
        let path = if prefix.is_empty() {
            repository.path().to_owned()
        } else {
            format!("{prefix}/{}", repository.path())
        };
        let wire = Repository::new(&registry, &path).map_err(|err| wrong(&err.to_string()))?;
        let base = format!("{}://{registry}/", mirror.scheme())
            .parse()
            .map_err(|_| wrong("is no address"))?;
        Ok(Self {
            wire,
            base,
            may_fall_back: false,
        })
    }

    /// `<base>v2/`
    pub(crate) fn ping(&self) -> Url {
        let mut url = self.base.clone();
        url.set_path("/v2/");
        url
    }

    /// `<base>v2/<repository>/<rest>`, with `query` when there is any.
    pub(crate) fn url(&self, rest: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("/v2/{}/{rest}", self.wire.path()));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(options: &ClientOptions, repository: &str) -> String {
        let endpoint = Endpoint::new(options, &repository.parse().unwrap()).unwrap();
        endpoint.url("manifests/v1", &[]).to_string()
    }

    #[test]
    fn n27_plain_http_only_where_it_was_asked_for() {
        let mut options = ClientOptions::default();
        assert_eq!(
            url(&options, "localhost:5000/a"),
            "https://localhost:5000/v2/a/manifests/v1"
        );
        options.plain_http = PlainHttp::Loopback;
        assert_eq!(
            url(&options, "localhost:5000/a"),
            "http://localhost:5000/v2/a/manifests/v1"
        );
        assert_eq!(
            url(&options, "10.0.0.1:5000/a"),
            "https://10.0.0.1:5000/v2/a/manifests/v1"
        );
        options.plain_http = PlainHttp::Hosts(["10.0.0.1:5000".to_owned()].into());
        assert_eq!(
            url(&options, "10.0.0.1:5000/a"),
            "http://10.0.0.1:5000/v2/a/manifests/v1"
        );
        assert_eq!(url(&options, "10.0.0.1/a"), "https://10.0.0.1/v2/a/manifests/v1");
    }

    #[test]
    fn a_mirror_changes_the_address_and_nothing_else() {
        let mirror = |name: &str, url: &str| (name.to_owned(), url.parse().unwrap());
        let mirrors = [
            mirror("ghcr.io", "https://mirror.example:8443/ghcr"),
            mirror("docker.io", "https://hub.example/"),
        ]
        .into();
        let options = ClientOptions {
            mirrors,
            ..ClientOptions::default()
        };
        assert_eq!(
            url(&options, "ghcr.io/a/b"),
            "https://mirror.example:8443/v2/ghcr/a/b/manifests/v1"
        );
        assert_eq!(
            url(&options, "quay.io/a/b"),
            "https://quay.io/v2/a/b/manifests/v1"
        );
        assert_eq!(
            url(&options, "nginx"),
            "https://hub.example/v2/library/nginx/manifests/v1"
        );
    }
}
